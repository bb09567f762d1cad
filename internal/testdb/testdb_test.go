package testdb

import (
	"testing"
	"time"
)

func TestNewIsMigratedAndOnesOwn(t *testing.T) {
	begin := time.Now()
	db := New(t)
	t.Log("first", time.Since(begin))
	for range 5 {
		begin = time.Now()
		Create(t)
		t.Log("clone", time.Since(begin))
	}
	var n int
	if err := db.Pool.QueryRow(t.Context(), "select count(*) from river_job").Scan(&n); err != nil {
		t.Fatal(err)
	}
}
