package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/oci"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/files"
)

func (a *app) emulatorCommand() *cobra.Command {
	var address, world string
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Serve an emulator of the Scaleway Container Registry",
		Long: `Serve an emulator of the Scaleway Container Registry, to try out policies and for
tests: its API, and at the same address the registry that docker, crane or skopeo pull
from and push to. Without --world it serves the registry of the demo.

Point any client of the API at it:
  export SCW_API_URL=http://127.0.0.1:8080
  export SCW_ACCESS_KEY=SCWXXXXXXXXXXXXXXXXX
  export SCW_SECRET_KEY=11111111-1111-1111-1111-111111111111

Log in to 127.0.0.1:8080 with any user name and the secret key as the password.
GET /_emulator/requests returns the log of the requests.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.emulator(cmd.Context(), address, world) },
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:8080", "listen on this `ADDRESS`; port 0 picks a free port")
	cmd.Flags().StringVar(&world, "world", "", "the world `FILE`: the contents of the registry, and the faults of the API")
	return cmd
}

func (a *app) emulator(ctx context.Context, address, world string) error {
	w := worlds.Demo(demoSeed)
	if world != "" {
		data, err := a.ReadFile(ctx, "--world", world, maxWorld)
		if err != nil {
			return fmt.Errorf("reading the world: %w", err)
		}
		if w, err = worlds.Parse(world, data); err != nil {
			return err
		}
	}
	s, err := listen(ctx, address, emulator.Options{World: w})
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, s.stop)
	defer stop()
	fmt.Fprintf(a.Stderr, "emulator: serving at %s\n", s.url())
	return s.serve()
}

// emulatorServer is an emulator that listens on a port.
type emulatorServer struct {
	server   http.Server
	listener net.Listener
}

func listen(ctx context.Context, address string, o emulator.Options) (*emulatorServer, error) {
	o.DataPlane = oci.New
	handler, err := emulator.New(o)
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("starting the emulator: %w", err)
	}
	return &emulatorServer{http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}, listener}, nil
}

func (s *emulatorServer) url() string { return "http://" + s.listener.Addr().String() }

// serve serves until stop is called.
func (s *emulatorServer) serve() error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the emulator: %w", err)
	}
	return nil
}

func (s *emulatorServer) stop() { _ = s.server.Close() }

// maxWorld bounds the file of a world, in bytes.
const maxWorld = 64 * files.MiB
