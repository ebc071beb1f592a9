package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator/internal/gateway"
	"github.com/registry-janitor/registry-janitor/emulator/internal/listing"
	"github.com/registry-janitor/registry-janitor/emulator/internal/products"
	"github.com/registry-janitor/registry-janitor/emulator/internal/recipes"
	"github.com/registry-janitor/registry-janitor/emulator/internal/wire"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
	"github.com/registry-janitor/registry-janitor/internal/clock"
)

// Options for New.
type Options struct {
	World worlds.World
	// SecretKey is the only accepted X-Auth-Token; "" means the one of the settings
	// of the world, and without one there any but an empty one is accepted.
	SecretKey string
	// DataPlane makes what answers the requests to the data plane, such as New of package
	// oci. Without it, the server has the API only.
	DataPlane func(*Server) http.Handler
	// Now is the clock; nil means the wall clock. Ages count from its value at New,
	// deletions complete by it, and the Date header shows it. Latency and delays
	// always pass in real time.
	Now func() time.Time
}

// Server is the emulated API. It is safe for concurrent use.
type Server struct {
	settings  worlds.Settings
	secretKey string
	now       func() time.Time
	tenant    wire.UUID
	owner     wire.UUID
	contents  *recipes.Contents
	api       *wire.API
	pages     *listing.Pages

	mu      sync.RWMutex // guards regions with everything in them, due and used
	regions map[string]*region
	due     []deletion // soonest first
	used    map[wire.UUID]bool
	nextDue atomic.Int64 // nanoseconds; the moment of due[0]

	products *products.Products

	operations map[string]map[string]operation

	replicas []*replica // one for each age of stale answers

	faults  *gateway.Faults
	limiter gateway.Limiter

	dataPlane   http.Handler // nil if there is none
	dataLimiter gateway.Limiter

	log gateway.Log
}

// New makes a server that holds the world, which it checks by the rules of
// [worlds.Parse].
func New(o Options) (*Server, error) {
	if err := o.World.Validate(); err != nil {
		return nil, fmt.Errorf("world: %w", err)
	}
	if o.Now == nil {
		o.Now = clock.Now
	}
	set := o.World.Settings
	s := &Server{
		settings:   set,
		secretKey:  cmp.Or(o.SecretKey, set.SecretKey),
		now:        o.Now,
		api:        &wire.API{Comma: ", ", Inline: set.InlineTags},
		tenant:     ownerOr(set.OrganizationID, wire.Identify("organization")),
		regions:    map[string]*region{},
		used:       map[wire.UUID]bool{},
		operations: operations(),
		faults:     gateway.NewFaults(o.World.Faults),
		limiter:    gateway.Limiter{PerSecond: set.RateLimit},

		dataLimiter: gateway.Limiter{PerSecond: set.RateLimit},
	}
	s.pages = &listing.Pages{API: s.api, Size: set.PageSizeDefault, Clamp: set.OversizePage == "clamp"}
	s.owner = ownerOr(set.ProjectID, wire.Identify("project"))
	if set.CompactJSON {
		s.api.Comma = ","
	}
	start := s.now()
	s.contents = recipes.New(&o.World, start)
	for _, name := range worlds.Regions() {
		s.regions[name] = &region{
			name: name, contents: s.contents,
			byNamespace: map[wire.UUID]*namespace{}, byImage: map[wire.UUID]*image{}, byTag: map[wire.UUID]*tag{},
		}
	}
	b := builder{start: start.UnixMicro(), regions: s.regions, owner: s.owner, tenant: s.tenant, bySize: map[digest]int64{}, contents: s.contents}
	b.namespaces(&o.World)
	s.products = &products.Products{Pages: s.pages, Owner: s.owner, Tenant: s.tenant, Start: b.start}
	s.products.Fill(&o.World)
	s.nextDue.Store(math.MaxInt64)
	if o.DataPlane != nil {
		s.dataPlane = o.DataPlane(s)
	}
	return s, s.replicate(o.World, start)
}

// requestsPath is where the request log is served.
const requestsPath = "/_emulator/requests"

// Request is an entry of the request log.
type Request = gateway.Request

// Requests returns the request log in the order of arrival.
func (s *Server) Requests() []Request { return s.log.Entries() }

// call is one request on its way through the server.
type call struct {
	http     *http.Request
	route    route
	body     []byte
	received time.Time
	at       time.Time     // when the API acts on it
	fault    *worlds.Fault // what goes wrong with it, or nil
	logged   int           // its number in the log
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == requestsPath {
		s.log.ServeHTTP(w, r)
		return
	}
	if s.dataPlane != nil && isDataPlane(r.URL.Path) {
		s.serveDataPlane(w, r)
		return
	}
	c := &call{http: r, route: parseRoute(r.URL.Path), received: s.now()}
	c.logged = s.log.Begin(r, "", c.received)
	// The body is read first: only then does net/http notice a client that gives up.
	var err error
	c.body, err = readBody(w, r)
	switch {
	case err != nil:
		s.respond(w, c, s.api.InvalidArgument("body", wire.ReasonFormat, err.Error()))
	case !s.limiter.Allow(c.received):
		s.respond(w, c, wire.RateLimited())
	default:
		s.serve(w, c)
	}
}

// Plain answers as the server does when nothing goes wrong: at once, without limits
// and faults. Its requests are not in the log. Tests compare what was said with it.
func (s *Server) Plain() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{http: r, route: parseRoute(r.URL.Path), received: s.now()}
		var err error
		if c.body, err = readBody(w, r); err != nil {
			s.respond(w, c, s.api.InvalidArgument("body", wire.ReasonFormat, err.Error()))
			return
		}
		s.respond(w, c, s.act(c))
	})
}

// maxBody bounds the body of a request; the real ones are a few hundred bytes.
const maxBody = 1 << 20

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, errors.New("it could not be read")
	}
	return body, nil
}

// serve answers a request that the gateway let through.
func (s *Server) serve(w http.ResponseWriter, c *call) {
	authentic := s.SecretKey(c.http.Header.Get("X-Auth-Token"))
	if authentic {
		c.fault = s.faults.Pick(&gateway.Call{
			Request: c.http, Region: c.route.region, Paths: c.route.paths(),
			Lists: c.http.Method == http.MethodGet && (c.route.id == "" || strings.HasSuffix(c.route.shape, "/tags")),
			Shows: c.route.product == nil && (c.route.id != "" || c.http.URL.Query().Has("namespace_id")),
			Ref:   func() string { return s.refOf(c.route) },
		})
	}
	s.wait(c)
	switch {
	case !authentic:
		s.respond(w, c, s.api.Unauthenticated())
	case c.fault == nil:
		s.respond(w, c, s.act(c))
	default:
		s.misbehave(w, c)
	}
}

// wait takes as long as the settings and the fault of a call say.
func (s *Server) wait(c *call) {
	latency := s.settings.Latency
	if c.fault != nil {
		s.log.Fault(c.logged, c.fault.Effect())
		latency += c.fault.Delay
	}
	if latency > 0 && clock.Sleep(c.http.Context(), latency) != nil {
		s.abandon()
	}
}

// SecretKey reports whether a secret key is accepted.
func (s *Server) SecretKey(key string) bool {
	if s.secretKey == "" {
		return key != ""
	}
	return key == s.secretKey
}

// abandon ends a request without an answer.
func (s *Server) abandon() { panic(http.ErrAbortHandler) }

// respond logs the status before it sends the answer, so that a client that has
// the answer finds it in the log.
func (s *Server) respond(w http.ResponseWriter, c *call, a *wire.Answer) {
	s.log.Status(c.logged, a.Status)
	s.header(w.Header(), c, a)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body) // an error means that the client is gone
	s.api.Release(a.Body)
}

func (s *Server) header(h http.Header, c *call, a *wire.Answer) {
	skew := s.settings.ClockSkew
	if c.fault != nil {
		skew += c.fault.DateOffset
	}
	h["Date"] = []string{s.now().Add(skew).UTC().Format(http.TimeFormat)}
	h["Server"] = []string{"Scaleway API Gateway (" + cmp.Or(c.route.region, worlds.Regions()[0]) + "-1;edge01)"}
	h["X-Request-Id"] = []string{wire.Identify("request", strconv.Itoa(c.logged)).String()}
	if a.ContentType != "" {
		h["Content-Type"] = []string{a.ContentType}
	}
	h["Content-Length"] = []string{strconv.Itoa(len(a.Body))}
	for k, v := range a.Header {
		h.Set(k, v)
	}
}
