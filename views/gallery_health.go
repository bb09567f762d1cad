package views

import "time"

// sampleChart is a day like any other, with an outage in it.
func sampleChart(key string, n int, step time.Duration) ChartView {
	c := ChartView{Key: key, Step: step, From: sampleTime(time.Duration(n) * step).Truncate(step), Bars: make([]BarView, n)}
	for i := range c.Bars {
		b := &c.Bars[i]
		switch {
		case i > n*6/10 && i < n*7/10:
			b.Failed = 3
		case i%7 == 3:
		default:
			b.Answered = 3 + i*7%11
			b.Average = time.Duration(260+i*53%190) * time.Millisecond
			b.Slowest = b.Average + time.Duration(i*97%700)*time.Millisecond
		}
	}
	return c
}

func sampleHealth(state string) HealthPage {
	page := samplePage("Kesehatan DOKU", "health")
	page.DOKU.URL = HealthURL()
	page.Nav = append(page.Nav, NavItem{Key: "health", URL: HealthURL()})
	v := HealthPage{Page: page, CanRetry: true, Hour: sampleChart("hour", 60, time.Minute), Day: sampleChart("day", 96, 15*time.Minute),
		Health: HealthView{State: state, Limit: 999, LastOK: sampleTime(4 * time.Second), Latency: 412 * time.Millisecond}}
	v.Calls = []CallView{{"upload", v.Day.total()}, {"requirements", BarView{Answered: 41, Average: 180 * time.Millisecond, Slowest: 900 * time.Millisecond}},
		{"token", BarView{Answered: 98, Failed: 12, Average: 95 * time.Millisecond, Slowest: 610 * time.Millisecond}}}
	switch state {
	case "down":
		v.Page.DOKU.State, v.Page.DOKU.Since = "down", sampleTime(2*hour)
		v.Health.Since, v.Health.For, v.Health.LastOK = sampleTime(2*hour), 2*hour, sampleTime(2*hour)
		v.Health.Error = &CallErrorView{Call: "upload", Status: 503, At: sampleTime(9 * time.Second)}
		v.Health.Next = sampleTime(-40 * time.Second)
		v.Health.Waiting, v.Health.Sending, v.Health.Refused, v.Health.GivenUp = 10_000, 8, 3, 2
		v.Health.Oldest = &OldestView{MerchantID: 3, Merchant: "Yayasan Contoh Bina Insani Nusantara Sejahtera Bersama Selamanya", Category: "DOCUMENT", Code: "IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH",
			Since: sampleTime(2 * hour), Why: "unreachable"}
	case "unknown":
		v.Page.DOKU.State = "unknown"
		v.Health.LastOK, v.Health.Latency, v.Calls, v.CanRetry = time.Time{}, 0, nil, false
		v.Hour.Bars, v.Day.Bars = make([]BarView, 60), make([]BarView, 96)
	}
	return v
}

func healthSamples() []Sample {
	reviewer, manager, admin := sampleHome("reviewer"), sampleHome("manager"), sampleHome("admin")
	rows := sampleRows()
	for i := range rows[:5] {
		rows[i].Undecided, rows[i].UndecidedSince = 5-i, sampleTime(time.Duration(6-i)*day)
	}
	reviewer.Groups = []HomeGroup{{Key: "undecided", Merchants: rows[:5], MoreURL: "/merchants?state=undecided"}}
	manager.Main = sampleInsights(1).Figures
	manager.Groups[0].Key, manager.Groups[1].Key = "overdue", "unassigned"
	down := sampleHealth("down").Health
	admin.Health, admin.Groups[0].Key = &down, "failed"
	return []Sample{
		{"home-reviewer", Home(reviewer)},
		{"home-manager", Home(manager)},
		{"home-admin", Home(admin)},
		{"health", Health(sampleHealth("fine"))},
		{"health-down", Health(sampleHealth("down"))},
		{"health-unknown", Health(sampleHealth("unknown"))},
	}
}
