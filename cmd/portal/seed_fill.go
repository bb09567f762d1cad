package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"berkas/models"
)

const (
	seedWriters = 4   // connections; while one waits for the database another invents
	seedChunk   = 250 // merchants in one transaction
	seedHands   = 3   // that put indexes and foreign keys back side by side
)

// filled are the tables a portfolio goes into, with the columns that are not at their default.
var filled = []struct{ table, columns string }{
	{"merchants", `id, uid, name, name_normal, business_type, legal_entity, business_line, nationality, nib, address_street, address_area, address_country, bank_name, bank_account_name,
		private, responsible_id, due_on, combination_id, set_id, progress, progress_state, next_actor, next_actor_since, quarter, slots_missing, slots_approved, slots_refused, slots_other, course, first_document_at, at_doku_at, approved_at, active_at,
		business_id, brand_id, business_status, registered_at, submission_id, registration, messaged_at, archived_at, created_by, created_at, updated_at`},
	{"submissions", `id, uid, merchant_id, kind, request_id, body, business_type, legal_entity, business_line, nationality, outcome, business_id, brand_id, business_status,
		created_at, settled_at`},
	{"merchant_keys", "merchant_id, source, kind, hash"},
	{"contacts", "merchant_id, ordinal, name, position, nationality, is_primary, private"},
	{"brands", "merchant_id, ordinal, name"},
	{"slots", "id, merchant_id, owner_path, category, code, position, requirement_id, by_hand, document_id, created_at, state, state_since, expires_on, refused_for"},
	{"slot_fields", "slot_id, code, value, masked, set_by, set_at"},
	{"documents", `id, uid, merchant_id, slot_id, version, category, code, state, file_name, content_type, size, sha256, expires_on, file_id, attempts, problem, doku_says, uploaded_by, uploaded_at,
		delivered_at, review, review_due_on, queued_at, decided_at, reasons, business_type, business_line, purged_at`},
	{"decisions", "id, uid, document_id, merchant_id, version, sha256, outcome, standing, reasons, facts, uploaded_by, decided_by, decided_at, queued_at, screen_ms"},
	{"transitions", "at, merchant_id, subject_kind, subject_id, from_state, to_state, actor_kind, actor_id, team"},
	{"messages", "uid, merchant_id, channel, language, body, sent_by, sent_at"},
}

// chunk is the rows of some merchants, by table.
type chunk map[string]*tuples

func (c chunk) add(table string, values ...any) {
	if c[table] == nil {
		c[table] = &tuples{}
	}
	c[table].add(values...)
}

// empty forgets the rows and keeps the memory.
func (c chunk) empty() {
	for _, rows := range c {
		rows.b = rows.b[:0]
	}
}

func raw(text string) (b uid) {
	hex.Decode(b[:], []byte(strings.ReplaceAll(text, "-", "")))
	return b
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

func id[T ~int64](p *T) any {
	if p == nil {
		return nil
	}
	return int64(*p)
}

// write adds the rows of a merchant.
func (c chunk) write(l *life) {
	m := l.dossier.Merchant
	c.add("merchants", int64(m.ID), raw(m.UID), m.Name, m.NameNormal, m.BusinessType, m.LegalEntity, m.BusinessLine, m.Nationality, m.NIB, m.AddressStreet, m.AddressArea, m.AddressCountry,
		m.BankName, m.BankAccountName, m.Private, id(m.ResponsibleID), day(at(m.DueOn)), int64(m.CombinationID), id(m.SetID), asJSON(m.Progress), string(m.ProgressState),
		string(m.NextActor), m.NextActorSince, string(m.Quarter), m.Kinds.SlotsMissing, m.Kinds.SlotsApproved, m.Kinds.SlotsRefused, m.Kinds.SlotsOther, asJSON(m.Course), at(m.FirstDocumentAt), at(m.AtDOKUAt), at(m.ApprovedAt), at(m.ActiveAt),
		m.BusinessID, m.BrandID, m.BusinessStatus, at(m.RegisteredAt), id(m.SubmissionID), string(m.Registration), at(m.MessagedAt), at(m.ArchivedAt), id(m.CreatedBy), m.CreatedAt, m.UpdatedAt)
	if m.SubmissionID != nil {
		c.add("submissions", int64(*m.SubmissionID), raw(l.uid()), int64(m.ID), string(models.KindRegistration), "seeded-"+m.ID.String()+"-"+m.UID, []byte{}, m.BusinessType, m.LegalEntity,
			m.BusinessLine, m.Nationality, string(models.Registered), m.BusinessID, m.BrandID, m.BusinessStatus, at(m.RegisteredAt), at(m.RegisteredAt))
	}
	for _, k := range l.keys {
		c.add("merchant_keys", int64(m.ID), k.Source, k.Kind, k.Hash)
	}
	for _, v := range l.dossier.Contacts {
		c.add("contacts", int64(m.ID), int32(v.Ordinal), v.Name, v.Position, v.Nationality, v.IsPrimary, v.Private)
	}
	for _, v := range l.dossier.Brands {
		c.add("brands", int64(m.ID), int32(v.Ordinal), v.Name)
	}
	for _, r := range l.rows {
		s := r.Slot
		c.add("slots", int64(s.ID), int64(m.ID), s.OwnerPath, s.Category, s.Code, int32(s.Position), id(s.RequirementID), s.ByHand, id(s.DocumentID), s.CreatedAt,
			string(s.State), s.StateSince, day(at(s.ExpiresOn)), s.RefusedFor)
	}
	for _, f := range l.fields {
		c.add("slot_fields", int64(f.SlotID), f.Code, f.Value, f.Masked, id(f.SetBy), f.SetAt)
	}
	for _, d := range l.docs {
		c.add("documents", int64(d.ID), raw(d.UID), int64(m.ID), int64(d.SlotID), int32(d.Version), d.Category, d.Code, string(d.State), d.FileName, d.ContentType, d.Size, d.SHA256,
			day(at(d.ExpiresOn)), d.FileID, int32(d.Attempts), d.Problem, d.DOKUSays, id(d.UploadedBy), d.UploadedAt, at(d.DeliveredAt), d.Review, day(at(d.ReviewDueOn)), at(d.QueuedAt),
			at(d.DecidedAt), asJSON(d.Reasons), d.BusinessType, d.BusinessLine, at(d.PurgedAt))
	}
	for _, v := range l.decided {
		c.add("decisions", int64(v.ID), raw(v.UID), int64(v.DocumentID), int64(m.ID), int32(v.Version), v.SHA256, string(v.Outcome), string(v.Standing), asJSON(v.Reasons), v.Facts,
			id(v.UploadedBy), int64(v.DecidedBy), v.DecidedAt, at(v.QueuedAt), v.ScreenMS)
	}
	for _, p := range l.passed {
		actor, who, team := string(models.ActorSystem), any(nil), ""
		if p.by != nil {
			actor, who, team = string(models.ActorUser), int64(p.by.ID), p.by.Team
		}
		c.add("transitions", p.at, int64(m.ID), p.kind, p.subject, p.from, p.to, actor, who, team)
	}
	if v := l.message; v != nil {
		c.add("messages", raw(v.UID), int64(m.ID), string(v.Channel), v.Language, v.Body, int64(v.SentBy), v.SentAt)
	}
}

// copy stores the rows, all or none.
func (c chunk) copy(ctx context.Context, conn *pgx.Conn) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "set constraints all deferred"); err != nil {
			return err
		}
		for _, f := range filled {
			if rows := c[f.table]; rows != nil {
				if err := rows.copyInto(ctx, conn, f.table, f.columns); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// seeding is a portfolio on its way into a database.
type seeding struct {
	*cast
	owner     *pgxpool.Pool // of the owning role
	store     *models.Store
	say       func(format string, args ...any)
	documents atomic.Int64
	acts      []act // for the audit trail: what every merchant's begins with, and its registration
}

// act is an audit row to be.
type act struct {
	merchant models.MerchantID
	at       time.Time
	action   models.Action
	by       models.PersonID // 0: the program
	asked    *askedOf
}

// fill invents all merchants and stores them, several chunks at a time.
func (p *seeding) fill(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var next, done atomic.Int64
	p.acts = make([]act, 2*p.merchants)
	for range seedWriters {
		group.Go(func() error {
			return p.owner.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
				for rows := (chunk{}); ; {
					from := int(next.Add(seedChunk)) - seedChunk
					if from >= p.merchants {
						return nil
					}
					to := min(from+seedChunk, p.merchants)
					rows.empty()
					for i := from; i < to; i++ {
						l := p.live(i)
						rows.write(l)
						p.documents.Add(int64(len(l.docs)))
						p.remember(l)
					}
					if err := rows.copy(ctx, c.Conn()); err != nil {
						return err
					}
					if n := done.Add(int64(to - from)); n*10/int64(p.merchants) != (n-int64(to-from))*10/int64(p.merchants) {
						p.say("%d of %d merchants", n, p.merchants)
					}
				}
			})
		})
	}
	return group.Wait()
}

func (p *seeding) remember(l *life) {
	m := l.dossier.Merchant
	at := slices.IndexFunc(p.combinations, func(a askedOf) bool { return a.ID == m.CombinationID })
	p.acts[2*l.i] = act{m.ID, m.CreatedAt, models.MerchantCreated, l.owner.ID, &p.combinations[at]}
	if m.RegisteredAt != nil {
		p.acts[2*l.i+1] = act{m.ID, *m.RegisteredAt, models.MerchantRegistered, 0, nil}
	}
}

// tables are the names of those that are filled.
func tables() []string {
	names := []string{"tally_deltas"}
	for _, f := range filled {
		names = append(names, f.table)
	}
	return names
}

// takeOff takes indexes, keys and triggers off the empty tables, and notes how to put them back: filling without them takes
// a quarter of the time. What an earlier seed that was broken off left in the tables goes.
func (p *seeding) takeOff(ctx context.Context) error {
	return pgx.BeginFunc(ctx, p.owner, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `with filled as (select oid, oid::regclass as name from pg_class where relnamespace = 'public'::regnamespace and relname = any($1)),
			keys as (select c.oid, c.conrelid, c.contype, c.conrelid::regclass as name, quote_ident(c.conname) as key, pg_get_constraintdef(c.oid) as definition, c.conindid
				from pg_constraint c where c.conrelid in (select oid from filled) and c.contype in ('p', 'u') or c.contype = 'f' and c.conparentid = 0
					and (c.conrelid in (select oid from filled) or c.confrelid in (select oid from filled)))
			select 1, pg_get_indexdef(i.indexrelid), case when k.oid is null then format('drop index %s', i.indexrelid::regclass) else '' end, 0
				from pg_index i join filled f on f.oid = i.indrelid left join keys k on k.conindid = i.indexrelid and k.contype in ('p', 'u')
			union all select 2, format('alter table %s add constraint %s %s using index %s', name, key, case contype when 'p' then 'primary key' else 'unique' end, key),
				format('alter table %s drop constraint %s', name, key), 1 from keys where contype in ('p', 'u')
			union all select 3, format('alter table %s add constraint %s %s not valid', name, key, definition), format('alter table %s drop constraint %s', name, key), -1 from keys where contype = 'f'
			union all select 4, format('alter table %s validate constraint %s', name, key), '', 0 from keys where contype = 'f'
			union all select 5, format('alter table %s enable trigger user, reset (autovacuum_enabled)', name),
				format('alter table %s disable trigger user, set (autovacuum_enabled = off)', name), 0 from filled
			order by 4`, tables())
		if err != nil {
			return err
		}
		var step int
		var back, off string
		var order int
		var steps []int
		var backs, offs []string
		if _, err := pgx.ForEachRow(rows, []any{&step, &back, &off, &order}, func() error {
			if steps, backs = append(steps, step), append(backs, back); off != "" {
				offs = append(offs, off)
			}
			return nil
		}); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `insert into seeding (step, statement) select * from unnest($1::int[], $2::text[]) on conflict do nothing`, steps, backs); err != nil {
			return err
		}
		for _, sql := range append(offs, "truncate tallies, name_words, "+strings.Join(tables(), ", ")) {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("%s: %w", sql, err)
			}
		}
		return nil
	})
}

// putBack puts back what was taken off, step by step. The tallies are counted while the indexes are made, which takes as long.
func (p *seeding) putBack(ctx context.Context) error {
	if _, err := p.owner.Exec(ctx, "analyze "+strings.Join(tables(), ", ")); err != nil { // who counts has to know how large they are
		return err
	}
	group, within := errgroup.WithContext(ctx)
	group.Go(func() error { return p.tally(within) })
	group.Go(func() error { return p.putBackSteps(within, 1, 1) })
	if err := group.Wait(); err != nil {
		return err
	}
	if err := p.putBackSteps(ctx, 2, 5); err != nil {
		return err
	}
	_, err := p.owner.Exec(ctx, "select learn_names(string_agg(name_normal, ' ')) from merchants") // whose trigger was off
	return err
}

// putBackSteps does some of the steps, one after another: within a step the order does not matter.
func (p *seeding) putBackSteps(ctx context.Context, from, to int) error {
	for step := from; step <= to; step++ {
		rows, err := p.owner.Query(ctx, `select statement from seeding where step = $1 order by md5(statement)`, step) // mixed: hands at one table would wait for each other
		if err != nil {
			return err
		}
		statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(map[bool]int{true: seedHands, false: 1}[step == 1 || step == 4])
		for _, sql := range statements {
			group.Go(func() error {
				if _, err := p.owner.Exec(ctx, sql); err != nil {
					return fmt.Errorf("%s: %w", sql, err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
		p.say("%d of what was taken off put back (%s)", len(statements), []string{"indexes", "keys", "foreign keys", "foreign keys checked", "triggers"}[step-1])
	}
	return nil
}

// tally counts what the triggers did not see.
func (p *seeding) tally(ctx context.Context) error {
	_, err := p.store.Keep().MendTallies(ctx)
	p.say("tallied")
	return err
}

// settle has the planner know the tables, and index-only scans possible.
func (p *seeding) settle(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(seedHands)
	for _, table := range append(tables(), "tallies", "name_words", "people") {
		group.Go(func() error {
			_, err := p.owner.Exec(ctx, "vacuum (analyze) "+table)
			return err
		})
	}
	return group.Wait()
}
