package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	// Time zones must not depend on what the machine has installed.
	_ "time/tzdata"

	"github.com/registry-janitor/registry-janitor/internal/files"
	"github.com/registry-janitor/registry-janitor/internal/strictyaml"
	"github.com/registry-janitor/registry-janitor/policy/rules"
)

// Config is a valid janitor.yaml with its defaults filled in.
type Config struct {
	// File is the name under which the configuration was read; relative paths in
	// it are resolved against its folder.
	File string `yaml:"-"`

	Scaleway   Scaleway           `yaml:"scaleway"`
	Timezone   string             `yaml:"timezone" is:"zone"` // of calendar buckets and schedules; default UTC
	Scope      Scope              `yaml:"scope"`
	Retention  []rules.Retention  `yaml:"retention" blank:"ok"`
	Empty      rules.Empty        `yaml:"empty"`
	Visibility []rules.Visibility `yaml:"visibility" blank:"ok"`
	Naming     []rules.Naming     `yaml:"naming" blank:"ok"`
	// Waivers are those of WaiversFile too, once it was read. WaiversFile is as written;
	// see Resolve.
	Waivers     []rules.Waiver `yaml:"waivers,omitempty" blank:"ok"`
	WaiversFile string         `yaml:"waivers_file,omitempty" blank:"ok"`
	Protect     Protect        `yaml:"protect"`
	Attachments Attachments    `yaml:"attachments"`
	Content     Content        `yaml:"content"`
	Policies    []PolicySource `yaml:"policies" blank:"ok"`
	Policy      Policy         `yaml:"policy"`
	Limits      Limits         `yaml:"limits"`
	// Archive is where tags are copied before they are deleted; nil is nowhere.
	Archive *Archive `yaml:"archive,omitempty" null:"write archive: {to: FOLDER}, or remove the key"`
	// SharedDigest is "protect", or "untag" if the operator knows that the API removes
	// only the tag, and not its digest with all other tags, or "auto" if that is what a
	// probe found out counts.
	SharedDigest string `yaml:"shared_digest" one:"protect|untag|auto"`
	// Grace is how long a tag must have been marked before it is deleted.
	Grace strictyaml.Duration `yaml:"grace"`
	// RunTimeout is how long a run may take before it is ended as failed.
	RunTimeout strictyaml.Duration `yaml:"run_timeout" positive:"yes"`
	Scan       Scan                `yaml:"scan"`
	Ledger     Ledger              `yaml:"ledger"`
	// Approvals are who has to agree before a plan is applied; nil if no approval is needed.
	Approvals     *Approvals     `yaml:"approvals,omitempty" null:"write approvals: {allowed_signers: FILE, required: 1}, or remove the key"`
	Schedules     []Schedule     `yaml:"schedules" blank:"ok"`
	Notifications []Notification `yaml:"notifications" blank:"ok"`
	Cost          Cost           `yaml:"cost"`

	document *strictyaml.Document `yaml:"-"` // with the line of each key
	foundDSN string               `yaml:"-"` // what ledger.dsn_env or dsn_file names; see Load
}

// Scaleway selects the part of the cloud to scan. Credentials are not part of
// the configuration.
type Scaleway struct {
	Profile        string   `yaml:"profile" blank:"ok"` // of the SDK's own config file; "" is its active one
	Regions        []string `yaml:"regions" is:"region"`
	ProjectIDs     []string `yaml:"project_ids" is:"uuid" blank:"ok"`
	OrganizationID string   `yaml:"organization_id" is:"uuid" blank:"ok"`
	// RegistryURL is where the content of tags is read; "{region}" stands for the region. ""
	// is the registry of the provider.
	RegistryURL string `yaml:"registry_url" is:"registry-url" blank:"ok"`
}

// Scope selects the images that are scanned, by globs over "namespace/image".
type Scope struct {
	Include []string `yaml:"include" is:"scope"`
	Exclude []string `yaml:"exclude" is:"scope" blank:"ok"`
}

// Protect names what is kept, whatever the rules decide.
type Protect struct {
	Tags    []string `yaml:"tags" is:"name-glob" blank:"ok"`
	Digests []string `yaml:"digests" is:"digest" blank:"ok"`
	// Labels are globs over the values of labels: an image with any of them is kept.
	Labels map[string]string `yaml:"labels,omitempty" is:"value-glob" blank:"ok"`
	// ReferencesFile, Serverless and Kapsule can also be written as mappings, which say
	// whether the source is required; see Optional.
	ReferencesFile string       `yaml:"references_file,omitempty" blank:"ok"`
	Serverless     bool         `yaml:"serverless"`
	Kapsule        bool         `yaml:"kapsule,omitempty"` // every Kapsule cluster that the API key can see
	Kubernetes     []Kubernetes `yaml:"kubernetes,omitempty" fill:"write kubeconfig: FILE, context: NAME of the default kubeconfig, or in_cluster: true"`
	Optional       Optional     `yaml:"-"`
	// KapsuleRegions and KapsuleClusters narrow Kapsule; none means all. A cluster is
	// named by a glob over its name, or by its ID.
	KapsuleRegions  []string `yaml:"-"`
	KapsuleClusters []string `yaml:"-"`
	// MinReferences is how many references the references file must have; see
	// references_file: {min_references: N}. 0 is unbounded.
	MinReferences int `yaml:"-"`
}

// Attachments decides what happens to signatures and the like whose subject is gone.
type Attachments struct {
	// Orphans is "keep", or "delete" for attachments to a digest that no tag of
	// their image has.
	Orphans string `yaml:"orphans" one:"keep|delete"`
}

// Policy configures how policies are loaded and run, not what they decide.
type Policy struct {
	// Timeout bounds the evaluation of one image or namespace.
	Timeout strictyaml.Duration `yaml:"timeout" positive:"yes"`
	// VerificationKey is the file of the public key (PEM) that must verify bundles, as
	// written; see Resolve. "" needs no signature.
	VerificationKey string `yaml:"verification_key" blank:"ok"`
}

// Limits bound what one run may do.
type Limits struct {
	MinAge             strictyaml.Duration `yaml:"min_age"`
	MaxDeletions       int                 `yaml:"max_deletions" min:"0"`
	MaxDeletionPercent int                 `yaml:"max_deletion_percent" min:"0" max:"100"`
	KeepAtLeast        int                 `yaml:"keep_at_least" min:"0"` // tags that are kept in each image
	MaxPlanAge         strictyaml.Duration `yaml:"max_plan_age"`
	// Anomaly refuses a plan that deletes that many times the median of the latest
	// runs: "5x". "" is off; it needs a ledger.
	Anomaly string `yaml:"anomaly" is:"factor" blank:"ok"`
	// Canary is how many steps of each kind are done and confirmed one at a time
	// before several are done at once.
	Canary int `yaml:"canary" min:"0"`
	// MaxFailures is how many steps may fail in a row before the rest is skipped.
	MaxFailures int `yaml:"max_failures" min:"1"`
	// Overrides replace MinAge and KeepAtLeast in some images; see At.
	Overrides []Override `yaml:"overrides,omitempty" blank:"ok"`
}

// Scan is how the registry is read.
type Scan struct {
	// MaxCacheAge is how long the tags of an image that has not changed come from the
	// cache in the ledger; 0 switches the cache off.
	MaxCacheAge strictyaml.Duration `yaml:"max_cache_age"`
}

// Ledger names where runs are recorded. At most one of the keys is given; none is no
// ledger.
type Ledger struct {
	DSN string `yaml:"dsn" is:"dsn" blank:"ok"`
	// DSNEnv is the environment variable that has the DSN, and DSNFile the file, as
	// written; see Resolve.
	DSNEnv  string     `yaml:"dsn_env,omitempty" is:"dsn-variable"`
	DSNFile string     `yaml:"dsn_file,omitempty" is:"dsn-file"`
	Keep    LedgerKeep `yaml:"keep"`
}

// LedgerKeep is how long records stay that nothing depends on.
type LedgerKeep struct {
	// Runs is for the runs that only planned, and their plans.
	Runs strictyaml.Duration `yaml:"runs" positive:"yes"`
}

// Approvals are who may approve a plan, and how many of them have to.
type Approvals struct {
	// AllowedSigners is a file in the format of OpenSSH, as written; see Resolve.
	AllowedSigners string `yaml:"allowed_signers" need:"name the file of the keys that may approve, in the format of ssh-keygen's allowed signers"`
	Required       int    `yaml:"required" min:"1"`
}

// Defaults sets the values of keys that are not in the file.
func (a *Approvals) Defaults() { a.Required = 1 }

// Schedule is when the daemon plans or applies.
type Schedule struct {
	// Name is for logs, metrics and the history; "" means one made of the other keys.
	Name     string              `yaml:"name,omitempty" blank:"ok"`
	Cron     string              `yaml:"cron" is:"cron" need:"say when, such as cron: \"0 3 * * *\""`
	Do       string              `yaml:"do" one:"plan|apply" need:"say what to do: plan or apply"`
	Jitter   strictyaml.Duration `yaml:"jitter"`             // a random delay below it is added
	Timezone string              `yaml:"timezone" is:"zone"` // default: the time zone of the configuration
	// CatchUp is for how long a run is made up for that was due while no daemon worked; 0
	// is never.
	CatchUp strictyaml.Duration `yaml:"catch_up,omitempty" positive:"yes"`
}

// Cost is what storage costs, for reports and metrics. It decides nothing.
type Cost struct {
	// PerGBMonth is the price of 10⁹ bytes of private images for a month.
	PerGBMonth float64 `yaml:"per_gb_month" min:"0" max:"1000000"`
	Currency   string  `yaml:"currency" is:"currency"` // ISO 4217: EUR
}

// Problems are everything that is wrong with a configuration.
type Problems = strictyaml.Problems

// Load reads and checks the configuration in a file, and whether the files and the
// variable that it names are there, except those of the keys, such as "protect.kubernetes",
// that the caller does not need. If the file could be read, the error is
// [strictyaml.Problems].
func Load(path string, unneeded ...string) (*Config, error) {
	data, err := files.Read(path, maxFileSize)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return Read(path, data, unneeded...)
}

// Read is Load for data that was read already. Messages use name for it.
func Read(name string, data []byte, unneeded ...string) (*Config, error) {
	c := parse(name, data)
	problems := finder{c, unneeded}.find()
	var own strictyaml.Problems
	if errors.As(c.document.Err(), &own) || len(problems) > 0 {
		return nil, append(own, problems...)
	}
	return c, nil
}

// missing is the error of a configuration that does not exist.
func missing(path string) error {
	for _, ext := range []string{".yaml", ".yml"} {
		other := strings.TrimSuffix(path, filepath.Ext(path)) + ext
		if _, err := os.Stat(other); err == nil {
			return &missingError{fmt.Sprintf("the configuration %s does not exist: did you mean -c %s?", path, other)}
		}
	}
	return &missingError{fmt.Sprintf("the configuration %s does not exist: name yours with -c FILE, or propose one with registry-janitor init", path)}
}

// missingError is fs.ErrNotExist with a remedy.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }
func (e *missingError) Unwrap() error { return fs.ErrNotExist }

// maxFileSize bounds what Load reads, so that a wrong path does not fill the memory.
const maxFileSize = 4 * files.MiB

// Parse checks the configuration in data; name stands for it in messages. The error
// is [strictyaml.Problems]: all there are, sorted by line. An empty file is valid:
// it has all the defaults, and marks nothing.
func Parse(name string, data []byte) (*Config, error) {
	c := parse(name, data)
	if err := c.document.Err(); err != nil {
		return nil, err
	}
	return c, nil
}

func parse(name string, data []byte) *Config {
	c := &Config{File: name}
	c.defaults()
	c.document = format().Parse(name, data, c)
	if !c.document.Empty() {
		checker{c.document}.checkConfig(c)
	}
	return c
}

// format is what the tags of the types cannot express.
func format() strictyaml.Format { return strictyaml.Format{Checks: checks, Forbidden: forbidden} }

// Problem is a problem with the key at path, such as "policies[0]", that shows only
// when the configuration is used.
func (c *Config) Problem(path, message, hint string) error {
	return strictyaml.Problems{c.document.Problem(path, message, hint)}
}

// Location is the time zone of the configuration; Parse refuses an unknown one.
func (c *Config) Location() *time.Location {
	location, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return time.UTC
	}
	return location
}

// SharedDigestAuto is the shared_digest that leaves the choice to what a probe found out.
const SharedDigestAuto = "auto"

// StandardInput is the references file that means standard input.
const StandardInput = "-"

// AnomalyFactor is limits.anomaly as a number; 0 means off.
func (c *Config) AnomalyFactor() float64 {
	f, _ := parseFactor(c.Limits.Anomaly)
	return f
}

// LedgerDSN is where runs are recorded: a PostgreSQL database as it is written, or
// the resolved path of a SQLite file; "" means nowhere.
func (c *Config) LedgerDSN() string {
	dsn := cmp.Or(c.Ledger.DSN, c.foundDSN)
	if strings.Contains(dsn, "://") {
		return dsn
	}
	return c.Resolve(dsn)
}

// Resolve is a path of the configuration as the program opens it: a relative one
// starts at the folder of the configuration file. "" stays "".
func (c *Config) Resolve(path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(filepath.Dir(c.File), path)
}

// ParseDuration reads a duration as the configuration writes it: "14d", "1w12h".
func ParseDuration(text string) (time.Duration, error) {
	d, err := strictyaml.ParseDuration(text)
	return d.Duration(), err
}

func (c *Config) defaults() {
	c.Scaleway.Regions = regions()
	c.Timezone = "UTC"
	c.Scope.Include = []string{"**"}
	c.Attachments.Orphans = "keep"
	c.Content = Content{Read: "auto", MultiArch: "related"}
	c.Policy.Timeout = strictyaml.MustDuration("10s")
	c.SharedDigest = "protect"
	c.RunTimeout = strictyaml.MustDuration("6h")
	c.Ledger.Keep.Runs = strictyaml.MustDuration("90d")
	c.Scan.MaxCacheAge = strictyaml.MustDuration("24h")
	c.Limits = Limits{
		MinAge:             strictyaml.MustDuration("1h"),
		MaxDeletions:       1000,
		MaxDeletionPercent: 50,
		KeepAtLeast:        1,
		MaxPlanAge:         strictyaml.MustDuration("24h"),
		Canary:             5,
		MaxFailures:        10,
	}
	// The list price of the provider in 2026; public images are free up to 75 GB.
	c.Cost = Cost{PerGBMonth: 0.027, Currency: "EUR"}
}

// regions are those with a Container Registry, as the API's description names them.
func regions() []string { return []string{"fr-par", "nl-ams", "pl-waw"} }

// ClusterRegions are those with Kubernetes Kapsule, as its SDK (v1.39.0) names them.
func ClusterRegions() []string { return append(regions(), "it-mil") }
