package models_test

import (
	"math"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/schema"

	"berkas/migrations"
	"berkas/models"
)

// What the program does not read into its structs, each with whose it is.
var elsewhere = map[string][]string{"merchants": {"locked"}} // made of another column

// kinds are the types of columns that may stand behind a type of Go.
func fits(field reflect.Type, serialized bool, column string) bool {
	if field.Kind() == reflect.Pointer {
		field = field.Elem()
	}
	switch {
	case serialized:
		return column == "jsonb"
	case field.Name() == "Time":
		return column == "timestamp with time zone" || column == "date"
	case field.Kind() == reflect.String:
		return column == "text" || column == "uuid"
	case field.Kind() == reflect.Bool:
		return column == "boolean"
	case field.Kind() == reflect.Int64:
		return column == "bigint"
	case field.Kind() == reflect.Int:
		return column == "integer" || column == "smallint"
	case field.Kind() == reflect.Float64:
		return column == "double precision"
	case field.Kind() == reflect.Slice:
		return column == "bytea"
	}
	return false
}

func TestStructsAndTablesAreTheSame(t *testing.T) {
	b := setup(t)
	for _, row := range []any{models.Person{}, models.Session{}, models.Combination{}, models.RequirementSet{}, models.Requirement{}, models.Merchant{}, models.MerchantKey{},
		models.Contact{}, models.Brand{}, models.Slot{}, models.SlotField{}, models.Document{}, models.Attachment{},
		models.Decision{}, models.Question{}, models.Look{}, models.Message{}, models.Comment{}, models.ReasonSetting{}, models.Bundle{}, models.Submission{}, models.SubmissionAttempt{}, models.Poll{}, models.Callback{}, models.View{}, models.Export{}} {
		s, err := schema.Parse(row, &sync.Map{}, schema.NamingStrategy{})
		b.must(err)
		columns := map[string]string{}
		rows, err := b.db.Pool.Query(b.ctx(), "select column_name, data_type from information_schema.columns where table_schema = 'public' and table_name = $1", s.Table)
		b.must(err)
		for rows.Next() {
			var name, kind string
			b.must(rows.Scan(&name, &kind))
			columns[name] = kind
		}
		if len(columns) == 0 {
			t.Errorf("there is no table %s", s.Table)
		}
		for _, f := range s.Fields {
			if f.DBName == "" || !f.Creatable { // made by a query
				continue
			}
			kind, there := columns[f.DBName]
			if !there || !fits(f.FieldType, f.Serializer != nil && f.TagSettings["SERIALIZER"] != "", kind) {
				t.Errorf("%s.%s is %s in Go and %q in the database", s.Table, f.DBName, f.FieldType, kind)
			}
			delete(columns, f.DBName)
		}
		for name := range columns {
			if !slices.Contains(elsewhere[s.Table], name) {
				t.Errorf("%s.%s is in the database only", s.Table, name)
			}
		}
	}
}

// A kind of document has the bit in the program that migration 0033 gave it, wherever in the number it falls.
func TestKindsHaveTheBitThatWasMigrated(t *testing.T) {
	b := setup(t)
	migration, err := migrations.FS.ReadFile("0033_kinds_of_slots.sql")
	b.must(err)
	function := regexp.MustCompile(`(?s)create function kind_bit.*?\$\$;`).FindString(string(migration))
	owner, err := pgx.Connect(b.ctx(), b.database.OwnerDSN)
	b.must(err)
	defer owner.Close(b.ctx())
	_, err = owner.Exec(b.ctx(), function)
	b.must(err)
	rows, err := owner.Query(b.ctx(), "select category, code, kind_bit(category, code) | kind_bit(category, '') from (select 'PHOTO_PROOF', '' union all select 'DOCUMENT', 'KIND_' || i from generate_series(1, 500) i) k(category, code)")
	b.must(err)
	var all int64
	for rows.Next() {
		var s models.Slot
		var migrated int64
		b.must(rows.Scan(&s.Category, &s.Code, &migrated))
		s.State, all = models.SlotMissing, all|migrated
		var k models.KindsOfSlots
		if k.Add(s); k.SlotsMissing != migrated {
			t.Errorf("%s %s is %b, and was migrated to %b", s.Category, s.Code, k.SlotsMissing, migrated)
		}
	}
	if b.must(rows.Err()); all != math.MaxInt64 {
		t.Errorf("of 63 bits these are used: %b", all)
	}
}

func TestHousekeepingIsAClosedList(t *testing.T) {
	t.Parallel()
	known := []string{"AdvanceBundle", "AdvanceExport", "AskedCombination", "BeginBundle", "BeginExport", "ClaimDelivery", "ClaimPoll", "ClaimPolls", "ClaimSubmission", "Compared", "CountAttempt", "DOKUAnswered", "DOKUFailed", "DropLease", "EndAttempt", "EndExport", "ExpireBundles", "ExpireLink", "FailBundle", "FoldMinutes", "FoldTallies", "ForgetAttempts", "ForgiveAttempt",
		"KeepMerchantOrder", "KeepMinutes", "KeepPoll", "LeaseDocument", "LeaseNext", "Looked", "MakePartitions", "MendTallies", "Postpone", "PostponeSubmission", "ReadBack", "Recount", "RejectLink", "ReleaseClaims", "ReleaseDocument", "RenewClaim", "Requeue", "SaveLink", "SaveLinks",
		"SealAudit", "SweepDeliveries", "SweepExports", "SweepMinutes", "SweepSessions", "SweepSubmissions", "TakeLease", "TakeTurn", "TouchSession", "WakeDeliveries", "WakeSubmissions", "WantPoll", "WorkCallback"}
	var there []string
	for m := range reflect.TypeFor[models.Keep]().Methods() {
		there = append(there, m.Name)
	}
	if !slices.Equal(there, known) {
		t.Errorf("a statement without an actor and an audit row must be housekeeping: %v", there)
	}
	for m := range reflect.TypeFor[models.Reader]().Methods() {
		if slices.Contains([]string{"Write", "Keep"}, m.Name) {
			t.Errorf("a Reader can %s", m.Name)
		}
	}
}
