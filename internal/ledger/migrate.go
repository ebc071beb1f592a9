package ledger

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// migrationFiles are NNNN_name.sql, without gaps, for each database. A released file
// never changes.
//
//go:embed migrations
var migrationFiles embed.FS

// migration is one step from an older schema to a newer one.
type migration struct {
	version int
	name    string
	sql     string
}

// readMigrations reads the migrations of one database.
func readMigrations(database string) ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/"+database+"/*.sql") // sorted
	if err != nil {
		return nil, err
	}
	var all []migration
	for i, name := range names {
		body, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		base := strings.TrimSuffix(path.Base(name), ".sql")
		number, title, _ := strings.Cut(base, "_")
		version, err := strconv.Atoi(number)
		if err != nil || version != i+1 {
			return nil, fmt.Errorf("the migration %s is not number %d", name, i+1)
		}
		all = append(all, migration{version: version, name: title, sql: string(body)})
	}
	return all, nil
}

const createMigrations = `CREATE TABLE IF NOT EXISTS janitor_schema_migrations (
	version BIGINT PRIMARY KEY,
	name TEXT NOT NULL,
	applied BIGINT NOT NULL,
	program TEXT NOT NULL
)`

// migrate brings the tables up to date. It applies each migration once, even if
// several processes open the ledger at the same time. It writes nothing if the
// tables are up to date, so only a migration needs the right to create tables.
func (l *Ledger) migrate(ctx context.Context, all []migration) error {
	exists, err := l.engine.HasTable(ctx, "janitor_schema_migrations")
	if err != nil {
		return err
	}
	if exists {
		version, err := schemaVersion(ctx, l.db, len(all))
		if err != nil || version == len(all) {
			return err
		}
	}
	return l.writeMuch(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := l.engine.Serialize(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, createMigrations); err != nil {
			return fmt.Errorf("creating the table of migrations: %w", err)
		}
		version, err := schemaVersion(ctx, tx, len(all))
		if err != nil {
			return err
		}
		for _, m := range all[version:] {
			if err := l.apply(ctx, tx, m); err != nil {
				return fmt.Errorf("migration %d (%s): %w", m.version, m.name, err)
			}
		}
		return nil
	})
}

func (l *Ledger) apply(ctx context.Context, tx *sql.Tx, m migration) error {
	if _, err := tx.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO janitor_schema_migrations (version, name, applied, program) VALUES ($1, $2, $3, $4)`,
		m.version, m.name, micros(l.now()), text(l.program))
	return err
}

// schemaVersion is the latest migration that was applied. A migration that this
// program does not know is an error.
func schemaVersion(ctx context.Context, q querier, known int) (int, error) {
	var version sql.NullInt64
	var program sql.NullString
	err := q.QueryRowContext(ctx, `SELECT version, program FROM janitor_schema_migrations ORDER BY version DESC LIMIT 1`).Scan(&version, &program)
	if err == sql.ErrNoRows {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the version of its tables: %w", err)
	}
	if version.Int64 > int64(known) {
		return 0, fmt.Errorf("%w: its tables have version %d (by %s), this program supports version %d: use the newer program",
			ErrNewer, version.Int64, cmp.Or(program.String, "an unknown program"), known)
	}
	return int(version.Int64), nil
}
