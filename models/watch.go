package models

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	channel    = "berkas_merchants"
	notifyWait = 5 * time.Second
	listenPing = 30 * time.Second // a connection that is silently gone is noticed within this
)

// notify tells the watchers of all processes which merchants changed. It runs after the commit, because a NOTIFY inside
// serialises every commit of the database; one that is lost costs a reader a moment, never a change.
func (s *Store) notify(ctx context.Context, touched map[MerchantID]bool) {
	if len(touched) == 0 {
		return
	}
	ids := make([]string, 0, len(touched))
	for id := range touched {
		ids = append(ids, strconv.FormatInt(int64(id), 10))
	}
	for len(ids) > 0 {
		n := min(len(ids), 300) // a payload holds 8,000 bytes
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), notifyWait)
		_ = s.db.WithContext(bounded).Exec("select pg_notify(?, ?)", channel, strings.Join(ids[:n], ",")).Error
		cancel()
		ids = ids[n:]
	}
}

// Watch hears of changed merchants over one LISTEN connection and tells whoever waits for them in this process.
type Watch struct {
	mu      sync.Mutex
	waiting map[MerchantID]map[chan struct{}]bool
}

// NewWatch is a Watch nobody waits on yet.
func NewWatch() *Watch { return &Watch{waiting: map[MerchantID]map[chan struct{}]bool{}} }

// Subscribe returns a channel that receives when the merchant changed, and how to stop.
func (w *Watch) Subscribe(id MerchantID) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.waiting[id] == nil {
		w.waiting[id] = map[chan struct{}]bool{}
	}
	w.waiting[id][c] = true
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.waiting[id], c)
		if len(w.waiting[id]) == 0 {
			delete(w.waiting, id)
		}
	}
}

// Run listens until ctx ends. A lost connection is made again; everyone waiting is told then, since something may have
// been missed.
func (w *Watch) Run(ctx context.Context, pool *pgxpool.Pool) {
	for ctx.Err() == nil {
		if err := w.listen(ctx, pool); err != nil && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (w *Watch) listen(ctx context.Context, pool *pgxpool.Pool) error {
	conn, err := pgx.ConnectConfig(ctx, pool.Config().ConnConfig.Copy())
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return err
	}
	w.wakeAll()
	for {
		n, err := nextNotification(ctx, conn)
		if err != nil {
			return err
		}
		for _, s := range strings.Split(n.Payload, ",") {
			if id, err := strconv.ParseInt(s, 10, 64); err == nil {
				w.wake(MerchantID(id))
			}
		}
	}
}

// nextNotification waits for one, and asks the server now and then whether it is still there.
func nextNotification(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	for {
		wait, cancel := context.WithTimeout(ctx, listenPing)
		n, err := conn.WaitForNotification(wait)
		silent := wait.Err() != nil
		cancel()
		if err == nil || !silent || ctx.Err() != nil {
			return n, err
		}
		wait, cancel = context.WithTimeout(ctx, notifyWait)
		err = conn.Ping(wait)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}

func (w *Watch) wake(id MerchantID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.waiting[id] {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

func (w *Watch) wakeAll() {
	w.mu.Lock()
	ids := make([]MerchantID, 0, len(w.waiting))
	for id := range w.waiting {
		ids = append(ids, id)
	}
	w.mu.Unlock()
	for _, id := range ids {
		w.wake(id)
	}
}
