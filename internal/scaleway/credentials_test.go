package scaleway

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/registry-janitor/registry-janitor/internal/scaleway/credentials"
)

const profiles = `access_key: SCWROOTROOTROOTROOT0
secret_key: 00000000-0000-4000-8000-000000000000
active_profile: active
profiles:
  active:
    access_key: SCWACTIVEACTIVEACTIV
    secret_key: 11111111-0000-4000-8000-000000000000
  other:
    access_key: SCWOTHEROTHEROTHEROT
    secret_key: 22222222-0000-4000-8000-000000000000
    api_url: https://api.example.com
  hollow:
`

func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // so that it is restored
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
	}
}

func writeConfig(t *testing.T, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCredentialsComeFromTheSamePlacesAsInEveryTool(t *testing.T) {
	const root, active, other = "SCWROOTROOTROOTROOT0", "SCWACTIVEACTIVEACTIV", "SCWOTHEROTHEROTHEROT"
	tests := []struct {
		name      string
		env       []string
		profile   string
		accessKey string
		apiURL    string
	}{
		{name: "the active profile of the file", accessKey: active},
		{name: "SCW_PROFILE beats the active profile", env: []string{"SCW_PROFILE", "other"}, accessKey: other, apiURL: "https://api.example.com"},
		{name: "the option beats SCW_PROFILE", env: []string{"SCW_PROFILE", "other"}, profile: "active", accessKey: active},
		{name: "default is the top level of the file", profile: "default", accessKey: root},
		{name: "variables beat the profile", env: withKeys(), accessKey: testAccessKey, apiURL: "http://127.0.0.1:1"},
		{name: "one variable beats one key", env: []string{"SCW_ACCESS_KEY", testAccessKey}, accessKey: testAccessKey},
		{name: "a slash after the API URL does not matter", env: []string{"SCW_API_URL", "https://api.example.com/"}, accessKey: active, apiURL: "https://api.example.com"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setenv(t, append([]string{"SCW_CONFIG_PATH", writeConfig(t, profiles, 0o600)}, tt.env...)...)
			var log logBuffer
			creds, err := credentials.Load(tt.profile, log.logger())
			if err != nil {
				t.Fatal(err)
			}
			if tt.apiURL == "" {
				tt.apiURL = "https://api.scaleway.com"
			}
			if creds.AccessKey != tt.accessKey || creds.APIURL != tt.apiURL {
				t.Errorf("got access key %s and URL %s, want %s and %s", creds.AccessKey, creds.APIURL, tt.accessKey, tt.apiURL)
			}
			if log.String() != "" {
				t.Errorf("unexpected warning: %s", log.String())
			}
		})
	}
}

func TestConfigFileIsFoundInTheHomeDirectory(t *testing.T) {
	for _, name := range []string{"config.yaml", "config.yml"} {
		t.Run(name, func(t *testing.T) {
			setenv(t)
			dir := filepath.Join(os.Getenv("HOME"), ".config", "scw")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, name), []byte(profiles), 0o600); err != nil {
				t.Fatal(err)
			}
			var log logBuffer
			creds, err := credentials.Load("", log.logger())
			if err != nil || creds.AccessKey != "SCWACTIVEACTIVEACTIV" {
				t.Errorf("got %+v, %v", creds, err)
			}
		})
	}
}

func TestEnvironmentVariablesNeedNoHomeDirectory(t *testing.T) {
	setenv(t, withKeys()...)
	unset(t, "HOME")
	if _, err := NewReader(Options{}); err != nil {
		t.Error(err)
	}
}

func TestWrongCredentialsAreExplainedAndNotQuoted(t *testing.T) {
	leaky := strings.ReplaceAll(profiles, "11111111-0000-4000-8000-000000000000", "[ "+testSecretKey)
	tests := []struct {
		name    string
		env     []string
		config  string
		profile string
		want    []string
	}{
		{name: "nothing is set", want: []string{"no Scaleway secret key", "SCW_SECRET_KEY", "scw init"}},
		{name: "no access key", env: []string{"SCW_SECRET_KEY", testSecretKey}, want: []string{"no Scaleway access key", "SCW_ACCESS_KEY"}},
		{name: "the secret key is empty", env: []string{"SCW_ACCESS_KEY", testAccessKey, "SCW_SECRET_KEY", ""}, want: []string{"no Scaleway secret key"}},
		{name: "the secret key has a line end", env: []string{"SCW_ACCESS_KEY", testAccessKey, "SCW_SECRET_KEY", testSecretKey + "\n"}, want: []string{"secret key is malformed", "SCW_SECRET_KEY"}},
		{name: "the secret key is in the variable of the access key", env: []string{"SCW_ACCESS_KEY", testSecretKey, "SCW_SECRET_KEY", testSecretKey}, want: []string{"access key is malformed"}},
		{name: "the keys are swapped", env: []string{"SCW_ACCESS_KEY", testSecretKey, "SCW_SECRET_KEY", testAccessKey}, want: []string{"swapped"}},
		{name: "the URL has no scheme", env: withKeys("SCW_API_URL", "api.scaleway.com/"+testSecretKey), want: []string{"API URL is malformed", "https://"}},
		{name: "the URL holds a password", env: withKeys("SCW_API_URL", "https://u:"+testSecretKey+"@api.scaleway.com"), want: []string{"user"}},
		{name: "the URL cannot be parsed", env: withKeys("SCW_API_URL", "https://["+testSecretKey), want: []string{"API URL is malformed"}},
		{name: "the profile does not exist", config: profiles, profile: "nope", want: []string{`no profile "nope"`, "default, active, hollow, other"}},
		{name: "the profile is hollow", config: profiles, profile: "hollow", want: []string{`no profile "hollow"`}},
		{name: "the profile has no file", profile: "nope", env: withKeys(), want: []string{`profile "nope"`, "needs a Scaleway config file"}},
		{name: "SCW_PROFILE has no file", env: withKeys("SCW_PROFILE", "nope"), want: []string{`profile "nope"`}},
		{name: "the named file does not exist", env: []string{"SCW_CONFIG_PATH", "/nonexistent/config.yaml"}, want: []string{"SCW_CONFIG_PATH", "does not exist", "set SCW_ACCESS_KEY"}},
		{name: "the named file does not exist, and one key is set", env: []string{"SCW_CONFIG_PATH", "/nonexistent/config.yaml", "SCW_SECRET_KEY", testSecretKey}, want: []string{"SCW_CONFIG_PATH", "does not exist"}},
		{name: "the named file does not exist, and a profile is asked for", env: withKeys("SCW_CONFIG_PATH", "/nonexistent/config.yaml", "SCW_PROFILE", "nope"), want: []string{`profile "nope"`, "/nonexistent/config.yaml does not exist"}},
		{name: "the file is not YAML", config: leaky, want: []string{"not valid YAML", "line"}},
		{name: "the file has a key of another type", config: "secret_key: [" + testSecretKey + "]\n", want: []string{"not valid YAML", "line 1"}},
		{name: "the file is a secret key", config: testSecretKey, want: []string{"not valid YAML", "line 1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setenv(t, tt.env...)
			if tt.config != "" {
				t.Setenv("SCW_CONFIG_PATH", writeConfig(t, tt.config, 0o600))
			}
			var log logBuffer
			_, err := NewReader(Options{Profile: tt.profile, Logger: log.logger()})
			if err == nil {
				t.Fatal("no error")
			}
			mustContain(t, err.Error(), tt.want...)
			mustNotLeak(t, "the error", err.Error())
			mustNotLeak(t, "the log", log.String())
		})
	}
}

func TestRiskySettingsAreLogged(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		want string
	}{
		{"plain http to another machine", withKeys("SCW_API_URL", "http://api.example.com"), "not https"},
		{"unverified certificates", withKeys("SCW_INSECURE", "true"), "not verified"},
		{"a missing config file beside both keys", withKeys("SCW_CONFIG_PATH", "/nonexistent/config.yaml"), "SCW_CONFIG_PATH names a file that does not exist"},
		{"a config file that others may read", withKeys("SCW_CONFIG_PATH", ""), "chmod 0600"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setenv(t, tt.env...)
			if tt.want == "chmod 0600" {
				t.Setenv("SCW_CONFIG_PATH", writeConfig(t, profiles, 0o644))
			}
			var log logBuffer
			if _, err := NewReader(Options{Logger: log.logger()}); err != nil {
				t.Fatal(err)
			}
			mustContain(t, log.String(), tt.want)
		})
	}
}

// The SDK writes as soon as it is imported, so the test needs a process of its own.
func TestSDKWritesNothingToStandardOutputAndNoSecretAnywhere(t *testing.T) {
	const child = "SCALEWAY_TEST_CHILD"
	if os.Getenv(child) != "" {
		readOnceVerbosely(t)
		return
	}
	path := writeConfig(t, "access_key: "+testAccessKey+"\nsecret_key: "+testSecretKey+"\n", 0o644)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1", "SCW_DEBUG=1", "SCW_CONFIG_PATH="+path)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.String(), stderr.String())
	}
	if out := strings.TrimSpace(strings.Replace(stdout.String(), "PASS", "", 1)); out != "" && !strings.HasPrefix(out, "coverage:") {
		t.Errorf("on standard output: %s", out)
	}
	mustNotLeak(t, "standard output", stdout.String())
	mustNotLeak(t, "standard error", stderr.String())
}

func readOnceVerbosely(t *testing.T) {
	r, err := NewReader(Options{Base: roundTrip(func(req *http.Request) (*http.Response, error) {
		return answer(req, http.StatusOK, tagsPage(1, 1), "X-Echo", req.Header.Get("X-Auth-Token")), nil
	})})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Tags(context.Background(), testRegion, testImage); err != nil {
		t.Fatal(err)
	}
}

func TestCredentialsOfSystemdMayHaveAnyMode(t *testing.T) {
	setenv(t)
	path := writeConfig(t, profiles, 0o440)
	t.Setenv("SCW_CONFIG_PATH", path)
	t.Setenv("CREDENTIALS_DIRECTORY", filepath.Dir(path))
	var log logBuffer
	if _, err := credentials.Load("", log.logger()); err != nil {
		t.Fatal(err)
	}
	if log.String() != "" {
		t.Errorf("unexpected warning: %s", log.String())
	}
}
