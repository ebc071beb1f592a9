package credentials

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/scaleway/scaleway-sdk-go/scw"
	"github.com/scaleway/scaleway-sdk-go/validation"
	"gopkg.in/yaml.v3"

	"github.com/registry-janitor/registry-janitor/internal/files"
)

// Credentials are the settings that every Scaleway tool takes from the same places.
type Credentials struct {
	APIURL    string // required
	AccessKey string // required
	SecretKey string // required
	Source    string // where the keys come from, in words
	UserAgent string // to send; "" means the program's own
	Insecure  bool   // certificates are not verified
	ProjectID string // the default project; "" if there is none
}

// Given checks credentials that the program has.
func Given(c Credentials, log *slog.Logger) (*Credentials, error) {
	c.Source = "given by the program"
	if err := c.validateKeys(); err != nil {
		return nil, err
	}
	return &c, c.validateURL(log)
}

// APIURL is the address of the API of the provider.
const APIURL = "https://api.scaleway.com"

// Load merges the environment over the profile of the config file, as
// every Scaleway tool does. It validates them before the SDK does, because the error of
// the SDK quotes a malformed secret key.
func Load(profileName string, log *slog.Logger) (*Credentials, error) {
	profile, err := loadProfile(profileName, log)
	if err != nil {
		return nil, err
	}
	env := scw.LoadEnvProfile()
	profile = scw.MergeProfiles(profile, env)
	c := &Credentials{
		Source:    keySource(env),
		AccessKey: value(profile.AccessKey),
		SecretKey: value(profile.SecretKey),
		APIURL:    APIURL,
		UserAgent: value(profile.UserAgent),
		ProjectID: value(profile.DefaultProjectID),
		Insecure:  profile.Insecure != nil && *profile.Insecure,
	}
	if profile.APIURL != nil {
		c.APIURL = *profile.APIURL
	}
	if err := c.validateKeys(); err != nil {
		return nil, err
	}
	return c, c.validateURL(log)
}

// keySource says where the keys come from. One from each place rarely fit together.
func keySource(env *scw.Profile) string {
	const file = "the Scaleway config file"
	switch access, secret := value(env.AccessKey) != "", value(env.SecretKey) != ""; {
	case access && secret:
		return "from SCW_ACCESS_KEY, with SCW_SECRET_KEY"
	case access:
		return "from SCW_ACCESS_KEY, with the secret key of " + file
	case secret:
		return "from " + file + ", with SCW_SECRET_KEY"
	}
	return "from " + file
}

// loadProfile reads the profile of the config file that the option names, else
// SCW_PROFILE, else the file itself, else its top level. Without a file the profile is
// empty, unless the file or a profile is configured.
func loadProfile(name string, log *slog.Logger) (*scw.Profile, error) {
	if name == "" {
		name = os.Getenv(scw.ScwActiveProfileEnv)
	}
	path, config, err := readConfig(log)
	if err != nil {
		return nil, err
	}
	if config == nil {
		if name != "" && name != scw.DefaultProfileName {
			return nil, fmt.Errorf("the profile %q needs a Scaleway config file, and %s does not exist: create it with `scw init`, or set SCW_ACCESS_KEY and SCW_SECRET_KEY instead of a profile", name, path)
		}
		return &scw.Profile{}, nil
	}
	if name == "" {
		name = value(config.ActiveProfile)
	}
	if name == "" || name == scw.DefaultProfileName {
		return &config.Profile, nil
	}
	chosen := config.Profiles[name]
	if chosen == nil {
		known := append([]string{scw.DefaultProfileName}, slices.Sorted(maps.Keys(config.Profiles))...)
		return nil, fmt.Errorf("the Scaleway config file %s has no profile %q: choose one of %s", path, name, strings.Join(known, ", "))
	}
	return scw.MergeProfiles(&config.Profile, chosen), nil
}

// maxConfigFile bounds the config file, in bytes.
const maxConfigFile = files.MiB

// readConfig finds and parses the config file as the SDK does. The SDK itself prints
// a warning about the mode of the file to standard output, which is for reports.
func readConfig(log *slog.Logger) (path string, config *scw.Config, err error) {
	path = scw.GetConfigPath()
	explicit := os.Getenv(scw.ScwConfigPathEnv) != ""
	if path == "." && !explicit {
		return path, nil, nil // no home directory, as in many containers
	}
	content, err := files.Read(path, maxConfigFile)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		yml := strings.TrimSuffix(path, filepath.Ext(path)) + ".yml"
		if content, err = files.Read(yml, maxConfigFile); err == nil {
			path = yml
		}
	}
	switch {
	case err == nil:
	case explicit && errors.Is(err, fs.ErrNotExist) && environmentSuffices():
		log.Warn("SCW_CONFIG_PATH names a file that does not exist: the keys in the environment are used", "path", path)
		return path, nil, nil
	case explicit && errors.Is(err, fs.ErrNotExist):
		return path, nil, fmt.Errorf("SCW_CONFIG_PATH names %s, which does not exist: correct it, or set SCW_ACCESS_KEY and SCW_SECRET_KEY", path)
	case explicit:
		return path, nil, fmt.Errorf("read the Scaleway config file that SCW_CONFIG_PATH names: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return path, nil, nil
	default:
		log.Warn("the Scaleway config file cannot be read: only the environment is used", "error", err)
		return path, nil, nil
	}
	// systemd passes credentials in a folder that only the service can read, whatever their mode.
	own := os.Getenv("CREDENTIALS_DIRECTORY")
	guarded := own != "" && filepath.Dir(path) == filepath.Clean(own)
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 && !guarded {
		log.Warn("other users can read the Scaleway config file, which holds a secret key: run chmod 0600", "path", path)
	}
	config = &scw.Config{}
	if err := yaml.Unmarshal(content, config); err != nil {
		return path, nil, fmt.Errorf("the Scaleway config file %s is not valid YAML%s", path, errorLines(err))
	}
	return path, config, nil
}

// environmentSuffices reports whether the environment has both keys. No Scaleway tool
// needs a file then.
func environmentSuffices() bool {
	env := scw.LoadEnvProfile()
	return value(env.AccessKey) != "" && value(env.SecretKey) != ""
}

// yamlLine finds the line numbers in an error of the YAML parser.
var yamlLine = regexp.MustCompile(`\bline (\d+)`)

// errorLines returns the lines on which the YAML is wrong. The rest of the parser's
// error is dropped: it quotes the file, which holds a secret key.
func errorLines(err error) string {
	var lines []string
	for _, m := range yamlLine.FindAllStringSubmatch(err.Error(), -1) {
		lines = append(lines, m[1])
	}
	if len(lines) == 0 {
		return ""
	}
	return ": see line " + strings.Join(slices.Compact(lines), ", ")
}

// validateKeys checks the form of both keys. It quotes neither, because a secret key
// in the wrong variable is still a secret.
func (c *Credentials) validateKeys() error {
	const remedy = "create an API key in the Scaleway console (IAM, API keys), then set SCW_ACCESS_KEY and SCW_SECRET_KEY or run `scw init`"
	switch {
	case c.SecretKey == "":
		return fmt.Errorf("no Scaleway secret key: %s", remedy)
	case c.AccessKey == "":
		return fmt.Errorf("no Scaleway access key: %s", remedy)
	case validation.IsAccessKey(c.SecretKey) && validation.IsUUID(c.AccessKey):
		return errors.New("the Scaleway access key and secret key are swapped: SCW_ACCESS_KEY is the one that begins with SCW")
	case !validation.IsSecretKey(c.SecretKey):
		return errors.New("the Scaleway secret key is malformed: want a UUID, such as 11111111-1111-1111-1111-111111111111; check SCW_SECRET_KEY for quotes, blanks and line ends")
	case !validation.IsAccessKey(c.AccessKey):
		return errors.New("the Scaleway access key is malformed: want SCW and 17 capital letters or digits; check SCW_ACCESS_KEY for quotes, blanks and line ends")
	}
	return nil
}

// validateURL checks the API URL, to whose host every request carries the
// secret key.
func (c *Credentials) validateURL(log *slog.Logger) error {
	c.APIURL = strings.TrimRight(c.APIURL, "/")
	u, err := url.Parse(c.APIURL)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return errors.New("the Scaleway API URL is malformed: want https://<host>, as in SCW_API_URL=https://api.scaleway.com")
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return errors.New("the Scaleway API URL holds a user, a query or a fragment: set SCW_API_URL to https://<host> alone")
	}
	if address := net.ParseIP(u.Hostname()); u.Scheme == "http" && u.Hostname() != "localhost" && !address.IsLoopback() {
		log.Warn("the Scaleway API URL is not https: the secret key is sent unencrypted", "host", u.Host)
	}
	if c.Insecure {
		log.Warn("TLS certificates are not verified: SCW_INSECURE or insecure is set")
	}
	return nil
}

// APIHost is the host of the API, with its port.
func (c *Credentials) APIHost() string {
	u, err := url.Parse(c.APIURL)
	if err != nil {
		return "" // no request matches it
	}
	return u.Host
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
