package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
)

const audited = 1100 // more than a page of VerifyAudit

// auditedStore opens a fresh copy of a store with audited rows.
func auditedStore(t *testing.T, template []byte) *Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	if err := os.WriteFile(path, template, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := OpenStore(context.Background(), path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func auditedFile(t *testing.T) []byte {
	t.Helper()
	s := newStore(t)
	ctx := context.Background()
	_, err := s.Update(ctx, func(w control.Writer) error {
		for i := range audited {
			err := w.AppendAudit(ctx, control.AuditEntry{At: time.Unix(int64(i), 123_456_789), Actor: "ada", Action: "job.create", Object: fmt.Sprintf("J%d", i), Detail: "detail"})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "copy.db")
	if _, err := s.db.Write.Exec("VACUUM INTO ?", path); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func verify(t *testing.T, s *Store) (bad int64) {
	t.Helper()
	ctx := context.Background()
	err := s.View(ctx, func(r control.Reader) (err error) {
		bad, err = r.VerifyAudit(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return bad
}

func TestTamperingWithTheAuditChainIsFoundAndLocated(t *testing.T) {
	template := auditedFile(t)
	for name, c := range map[string]struct {
		sql  []string
		want int64
	}{
		"untouched":      {nil, 0},
		"actor":          {[]string{"UPDATE audit SET actor = 'eve' WHERE seq = 1050"}, 1050},
		"action":         {[]string{"UPDATE audit SET action = 'job.cancel' WHERE seq = 1"}, 1},
		"object":         {[]string{"UPDATE audit SET object = 'J0' WHERE seq = 1100"}, 1100},
		"time":           {[]string{"UPDATE audit SET at = at + 1 WHERE seq = 1001"}, 1001},
		"moved text":     {[]string{"UPDATE audit SET actor = 'adajob', action = '.create' WHERE seq = 5"}, 5},
		"hash":           {[]string{"UPDATE audit SET hash = 'x' WHERE seq = 77"}, 77},
		"deleted":        {[]string{"DELETE FROM audit WHERE seq = 1000"}, 1000},
		"deleted first":  {[]string{"DELETE FROM audit WHERE seq = 1"}, 1},
		"truncated":      {[]string{"DELETE FROM audit WHERE seq > 900"}, 901},
		"cut by one":     {[]string{"DELETE FROM audit WHERE seq = 1100"}, 1100},
		"emptied":        {[]string{"DELETE FROM audit"}, 1},
		"added behind":   {[]string{"INSERT INTO audit SELECT 1101, at, actor, action, object, detail, hash FROM audit WHERE seq = 3"}, 1101},
		"added in front": {[]string{"INSERT INTO audit SELECT 0, at, actor, action, object, detail, hash FROM audit WHERE seq = 3"}, 1},
		"inserted": {[]string{"UPDATE audit SET seq = -seq WHERE seq >= 50", "UPDATE audit SET seq = 1 - seq WHERE seq < 0",
			"INSERT INTO audit SELECT 50, at, actor, action, object, detail, hash FROM audit WHERE seq = 3", "UPDATE meta SET audit_count = 1101"}, 50},
		"swapped": {[]string{"UPDATE audit SET seq = -1 WHERE seq = 10", "UPDATE audit SET seq = 10 WHERE seq = 11", "UPDATE audit SET seq = 11 WHERE seq = -1"}, 10},
		"head":    {[]string{"UPDATE meta SET audit_head = 'x'"}, 1100},
		"truncated, with the count": {[]string{"DELETE FROM audit WHERE seq > 900",
			"UPDATE meta SET audit_count = 900"}, 900},
	} {
		t.Run(name, func(t *testing.T) {
			s := auditedStore(t, template)
			for _, q := range c.sql {
				if _, err := s.db.Write.Exec(q); err != nil {
					t.Fatalf("%s: %v", q, err)
				}
			}
			if bad := verify(t, s); bad != c.want {
				t.Fatalf("broken at %d, want %d", bad, c.want)
			}
		})
	}
}

func TestARolledBackChangeLeavesNoAuditRowAndNoRev(t *testing.T) {
	s := auditedStore(t, auditedFile(t))
	ctx := context.Background()
	boom := fmt.Errorf("boom")
	_, err := s.Update(ctx, func(w control.Writer) error {
		if err := w.AppendAudit(ctx, control.AuditEntry{Actor: "a", Action: "b"}); err != nil {
			return err
		}
		return boom
	})
	if err == nil {
		t.Fatal("no error")
	}
	if _, err := s.Update(ctx, func(w control.Writer) error { return w.AppendAudit(ctx, control.AuditEntry{Actor: "a", Action: "b"}) }); err != nil {
		t.Fatal(err)
	}
	if bad := verify(t, s); bad != 0 {
		t.Fatalf("broken at %d", bad)
	}
}
