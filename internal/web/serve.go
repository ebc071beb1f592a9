package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	toolkit "github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
)

// DefaultAddress is where a daemon listens by default: on this machine only.
const DefaultAddress = "127.0.0.1:9095"

// ServeOptions configure where and how to serve.
type ServeOptions struct {
	// Addresses to listen on; none is DefaultAddress. A port of 0 is any free one.
	Addresses []string
	// SystemdSocket makes it listen on the sockets that systemd passes instead.
	SystemdSocket bool
	// ConfigFile is a web configuration of exporter-toolkit, for TLS, basic
	// authentication and headers; "" is none.
	ConfigFile string
	// Hosts are the host names that it answers under besides localhost. Without any, it
	// answers under every name if other machines can reach it or if it has
	// authentication, and under localhost alone otherwise.
	Hosts []string
	// EnableApply is that of the handler. Where other machines can reach it, it needs
	// authentication or Hosts.
	EnableApply bool
	// Log receives the addresses and warnings; required.
	Log *slog.Logger
}

// How long requests may take. Answers are rendered before they are sent.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = 5 * time.Minute // an explanation asks the API
	idleTimeout   = 2 * time.Minute
	// stopTimeout is how long requests may continue once the daemon has to stop.
	stopTimeout = 5 * time.Second
)

// maxConnections is how many connections there may be at once, on all addresses
// together. Others wait until one ends.
const maxConnections = 512

// Server has open sockets, and answers once Serve is called.
type Server struct {
	o         ServeOptions
	listeners []net.Listener
	// authenticated: requests need a password or a client certificate. It remains so,
	// whatever becomes of the configuration file.
	authenticated bool
}

// Listen opens the sockets, so that an address in use, or a bad web configuration, is
// an error before anything else happens.
func Listen(ctx context.Context, o ServeOptions) (*Server, error) {
	s := &Server{o: o}
	if o.ConfigFile != "" {
		configured, err := readSettings(o.ConfigFile)
		if err != nil {
			return nil, fmt.Errorf("reading the web configuration: %w", err)
		}
		s.authenticated = configured.passwords() || configured.certificates()
	}
	if err := toolkit.Validate(o.ConfigFile); err != nil {
		return nil, fmt.Errorf("reading the web configuration %s: %w", o.ConfigFile, err)
	}
	var err error
	if o.SystemdSocket {
		s.listeners, err = systemdSockets()
	} else {
		err = s.listen(ctx)
	}
	if err == nil {
		err = s.checkApply()
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func systemdSockets() ([]net.Listener, error) {
	listeners, err := activation.Listeners()
	listeners = slices.DeleteFunc(listeners, func(l net.Listener) bool { return l == nil }) // not of a stream
	if err == nil && len(listeners) == 0 {
		err = errors.New("systemd passed no socket: start the socket unit, not the service")
	}
	return listeners, err
}

func (s *Server) listen(ctx context.Context) error {
	addresses := s.o.Addresses
	if len(addresses) == 0 {
		addresses = []string{DefaultAddress}
	}
	for _, address := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		s.listeners = append(s.listeners, l)
	}
	return nil
}

// checkApply refuses to let anyone delete who can reach an address, or whose page is
// open in a browser that can.
func (s *Server) checkApply() error {
	if !s.o.EnableApply || s.authenticated || len(s.o.Hosts) > 0 {
		return nil
	}
	for _, l := range s.listeners {
		if !isLocal(l) {
			return fmt.Errorf("--web.enable-apply on %s, which other machines can reach, lets anyone delete from the registry: set basic_auth_users or client certificates with --web.config.file, name the daemon's host with --web.allowed-host, or listen on the loopback address", l.Addr())
		}
	}
	return nil
}

// Close closes the sockets of a server that does not serve.
func (s *Server) Close() {
	for _, l := range s.listeners {
		_ = l.Close()
	}
}

// Hosts are the Hosts for the handler.
func (s *Server) Hosts() []string {
	if len(s.o.Hosts) == 0 && (s.authenticated || slices.ContainsFunc(s.listeners, func(l net.Listener) bool { return !isLocal(l) })) {
		return nil
	}
	hosts := []string{}
	for _, h := range s.o.Hosts {
		hosts = append(hosts, hostOf(h))
	}
	return hosts
}

// Addresses are where the server listens.
func (s *Server) Addresses() []net.Addr {
	var all []net.Addr
	for _, l := range s.listeners {
		all = append(all, l.Addr())
	}
	return all
}

func isLocal(l net.Listener) bool {
	tcp, ok := l.Addr().(*net.TCPAddr)
	return !ok || tcp.IP.IsLoopback()
}

// Serve serves the handler until the context ends, and closes the sockets.
func (s *Server) Serve(ctx context.Context, handler http.Handler) error {
	s.warnIfOpen()
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range s.listeners {
		s.o.Log.Info("listening", "address", l.Addr().String())
		group.Go(func() error {
			return s.serve(ctx, netutil.LimitListener(l, max(1, maxConnections/len(s.listeners))), s.staysClosed(handler))
		})
	}
	return group.Wait()
}

// serve serves one socket with a separate http.Server: exporter-toolkit puts its
// handler into that.
func (s *Server) serve(ctx context.Context, l net.Listener, handler http.Handler) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxBody,
		ErrorLog:          slog.NewLogLogger(s.o.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := server.Shutdown(bounded); err != nil {
			_ = server.Close()
		}
	})
	flags := &toolkit.FlagConfig{WebConfigFile: &s.o.ConfigFile}
	err := toolkit.Serve(outermost(l, server, func(h http.Handler) http.Handler { return s.readable(slowLogins(h)) }), server, flags, slog.New(quiet{s.o.Log.Handler()}))
	if !stop() {
		<-stopped
	}
	if ctx.Err() == nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// quiet drops the info messages of exporter-toolkit, which repeat the addresses and
// the configuration.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level > slog.LevelInfo && q.Handler.Enabled(ctx, level)
}

// warnIfOpen warns if the daemon listens beyond this machine without authentication.
func (s *Server) warnIfOpen() {
	if s.authenticated {
		return
	}
	for _, l := range s.listeners {
		if !isLocal(l) {
			may := "start a plan"
			if s.o.EnableApply {
				may = "start a run that deletes from it"
			}
			s.o.Log.Warn("anyone who can reach this address sees the registry and may "+may+": set basic_auth_users or client certificates with --web.config.file, or listen on the loopback address",
				"address", l.Addr().String())
		}
	}
}
