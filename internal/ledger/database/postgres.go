package database

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresEngine is a ledger in a PostgreSQL database. Its lock is an advisory lock
// of a connection that does nothing else. So the connection must not go through a
// pooler in transaction mode.
type postgresEngine struct {
	config *pgx.ConnConfig
	db     *sql.DB
}

const (
	// LockSpace is the first key of the advisory locks, "jani" in ASCII. The second is
	// the schema, so that a database may hold several ledgers.
	LockSpace = 0x6a616e69
	// writeSpace is the first key of the locks that last for a transaction.
	writeSpace = LockSpace + 1
	// leaderSpace is the first key of the lock of the daemon that works.
	leaderSpace = LockSpace + 2
	// watchEvery is how often the connection that holds the lock is checked; a closed
	// one is noticed at once.
	watchEvery = 5 * time.Second
	// connectTimeout applies if the DSN has no connect_timeout.
	connectTimeout = 10 * time.Second
)

func openPostgres(ctx context.Context, dsn string, timeout time.Duration) (*postgresEngine, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The error quotes the DSN, and a malformed one cannot be masked reliably.
		return nil, errors.New("opening the ledger: its postgres:// DSN cannot be read: want postgres://user:password@host:port/database, special characters percent-encoded")
	}
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, connectTimeout)
	e := &postgresEngine{config: config}
	e.db = stdlib.OpenDB(*config, stdlib.OptionAfterConnect(prepareSession))
	e.db.SetMaxOpenConns(readers + 1)
	e.db.SetMaxIdleConns(readers + 1)
	if err := e.check(ctx, timeout); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger %s: %w", e.Where(), e.Clean(err)), e.db.Close())
	}
	return e, nil
}

// prepareSession makes acknowledged commits durable, even if the server is set up to
// be fast instead.
func prepareSession(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

func (e *postgresEngine) check(ctx context.Context, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var encoding string
	if err := e.db.QueryRowContext(ctx, `SHOW server_encoding`).Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the encoding of the database is %s: want UTF8", encoding)
	}
	return nil
}

func (e *postgresEngine) DB() *sql.DB        { return e.db }
func (e *postgresEngine) Migrations() string { return "postgres" }
func (e *postgresEngine) Shared() string     { return " FOR SHARE" }
func (e *postgresEngine) Intact() error      { return nil } // a connection ends with its database

func (e *postgresEngine) Where() string {
	return fmt.Sprintf("%s on PostgreSQL at %s", cmp.Or(e.config.Database, e.config.User), e.config.Host)
}

func (e *postgresEngine) HasTable(ctx context.Context, name string) (exists bool, err error) {
	err = e.db.QueryRowContext(ctx, `SELECT to_regclass($1) IS NOT NULL`, name).Scan(&exists)
	return exists, err
}

func (e *postgresEngine) Serialize(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock($1, hashtext(current_schema()))`, writeSpace)
	return err
}

// Clean returns the error as it is, unless it shows the password.
func (e *postgresEngine) Clean(err error) error {
	if err == nil || e.config.Password == "" {
		return err
	}
	message := err.Error()
	for _, secret := range []string{e.config.Password, url.QueryEscape(e.config.Password), url.PathEscape(e.config.Password)} {
		message = strings.ReplaceAll(message, secret, "xxxxx")
	}
	if message == err.Error() {
		return err
	}
	return errors.New(message)
}

func (e *postgresEngine) TryLock(ctx context.Context, which LockName) (Hold, error) {
	conn, err := pgx.ConnectConfig(ctx, e.config)
	if err != nil {
		return nil, err
	}
	var locked bool
	err = conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1, hashtext(current_schema()))`, spaceOf(which)).Scan(&locked)
	if err == nil && locked {
		// The server notices a machine that has vanished, and releases the lock, within
		// 20 s: a daemon that stands by takes over within 30 s.
		_, err = conn.Exec(ctx, `SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 3; SET tcp_keepalives_count = 3`)
	}
	if err != nil || !locked {
		closeConn(conn)
		return nil, err
	}
	h := &postgresHold{conn: conn, gone: make(chan struct{})}
	ctx, h.stop = context.WithCancel(context.Background())
	h.watching.Go(func() { h.watch(ctx) })
	return h, nil
}

// spaceOf is the first key of the advisory lock.
func spaceOf(which LockName) int {
	if which == LeaderLock {
		return leaderSpace
	}
	return LockSpace
}

type postgresHold struct {
	conn     *pgx.Conn
	gone     chan struct{}
	stop     context.CancelFunc
	watching sync.WaitGroup
}

func (h *postgresHold) Lost() <-chan struct{} { return h.gone }

// watch closes gone when the connection ends: then the server releases the lock.
func (h *postgresHold) watch(ctx context.Context) {
	for {
		wait, cancel := context.WithTimeout(ctx, watchEvery)
		_, err := h.conn.WaitForNotification(wait) // none comes: it waits for the connection to end
		idle := wait.Err() != nil
		cancel()
		if ctx.Err() != nil {
			return
		}
		if idle && !h.conn.IsClosed() {
			ping, cancel := context.WithTimeout(ctx, watchEvery)
			err = h.conn.Ping(ping)
			cancel()
		}
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			close(h.gone)
			return
		}
	}
}

func (h *postgresHold) Release() error {
	h.stop()
	h.watching.Wait()
	select {
	case <-h.gone:
		return h.conn.Close(context.Background()) // the server has closed it
	default:
	}
	ctx, cancel := context.WithTimeout(context.Background(), watchEvery)
	defer cancel()
	// The server releases the lock of a closed connection only a moment later.
	_, err := h.conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	closeConn(h.conn)
	return err
}

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), watchEvery)
	defer cancel()
	_ = conn.Close(ctx) // it is closed in any case
}
