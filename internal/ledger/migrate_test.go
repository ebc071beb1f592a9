package ledger

import (
	"errors"
	"sync"
	"testing"

	"github.com/registry-janitor/registry-janitor/actions"
	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/ledger/database"
)

// allMigrations returns every migration of a database.
func allMigrations(t *testing.T, e database.Engine) []migration {
	t.Helper()
	all, err := readMigrations(e.Migrations())
	must(t, err)
	return all
}

// openAt opens a ledger as an older program did.
func openAt(t *testing.T, dsn string, version int) *Ledger {
	t.Helper()
	e, err := database.Open(t.Context(), dsn, defaultTimeout)
	must(t, err)
	l := &Ledger{engine: e, db: e.DB(), now: clock.Now, timeout: defaultTimeout, program: "an older program"}
	must(t, l.migrate(t.Context(), allMigrations(t, e)[:version]))
	return l
}

func TestEveryOlderLedgerIsMigrated(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		engine, err := database.Open(t.Context(), dsn, defaultTimeout)
		must(t, err)
		all := allMigrations(t, engine)
		must(t, engine.DB().Close())
		old := openAt(t, dsn, 1)
		// As that program wrote it, without later columns.
		execute(t, old, `INSERT INTO janitor_runs (kind, status, started, who, program, config_digest, policy_digest, epoch)
			VALUES ('apply', 'finished', 1, 'janitor@host', 'an older program', '', '', 1)`)
		execute(t, old, `INSERT INTO janitor_steps (run_id, ref, action, result) VALUES (1, $1, 'delete_tag', 'done')`, ref("a"))
		must(t, old.Close())
		for version := 2; version <= len(all); version++ {
			l := openAt(t, dsn, version)
			if n := query(t, l, `SELECT count(*) FROM janitor_schema_migrations`); n != int64(version) {
				t.Errorf("%d migrations are recorded, want %d", n, version)
			}
			must(t, l.Close())
		}
		l := open(t, dsn)
		d, err := l.Run(t.Context(), 1)
		must(t, err)
		if len(d.Steps) != 1 || d.Steps[0].Result != actions.ResultDone {
			t.Errorf("the older journal is %+v", d.Steps)
		}
		if _, err := l.Marked(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestNewerLedgerIsRefused(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := open(t, dsn)
		execute(t, l, `INSERT INTO janitor_schema_migrations (version, name, applied, program) VALUES (99, 'future', 0, 'registry-janitor 9')`)
		if newer, err := Open(t.Context(), dsn, Options{}); !errors.Is(err, ErrNewer) {
			t.Errorf("opening it gives %v, %v", newer, err)
		}
	})
}

// Several processes that open a new ledger at once migrate it once.
func TestOpeningAtOnceMigratesOnce(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				l, err := Open(t.Context(), dsn, Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := l.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		l := open(t, dsn)
		if n := query(t, l, `SELECT count(*) FROM janitor_lock`); n != 1 {
			t.Errorf("there are %d locks", n)
		}
	})
}

// A migration that fails leaves nothing behind.
func TestFailedMigrationLeavesNothing(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		l := openAt(t, dsn, 1)
		defer l.Close()
		all := allMigrations(t, l.engine)
		broken := append(all[:1:1], migration{version: 2, name: "broken", sql: `CREATE TABLE janitor_half (id BIGINT); CREATE TABLE janitor_half (id BIGINT);`})
		if err := l.migrate(t.Context(), broken); err == nil {
			t.Fatal("a broken migration was applied")
		}
		if exists, err := l.engine.HasTable(t.Context(), "janitor_half"); err != nil || exists {
			t.Errorf("half of it is left: %t (%v)", exists, err)
		}
		must(t, l.migrate(t.Context(), all))
	})
}
