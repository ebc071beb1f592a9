package oci

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/registry-janitor/registry-janitor/emulator"
	"github.com/registry-janitor/registry-janitor/emulator/worlds"
)

// lifetime of a token.
const lifetime = 5 * time.Minute

// token says what its bearer may do.
type token struct {
	Expires int64               `json:"exp"`
	Access  map[string][]string `json:"access"` // actions, by the key of an image
}

// serveToken gives a token to a client with the secret key, for whatever it asks, and to
// any client for public images.
func (p *plane) serveToken(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		p.server.Refuse(w, http.StatusMethodNotAllowed)
		return
	}
	_, password, known := r.BasicAuth()
	if known && !p.server.SecretKey(password) {
		p.server.Refuse(w, http.StatusNotFound)
		return
	}
	t := token{p.server.Now().Add(lifetime).Unix(), map[string][]string{}}
	for _, scopes := range r.URL.Query()["scope"] {
		for scope := range strings.FieldsSeq(scopes) {
			name, actions, ok := cutScope(scope)
			if !ok {
				continue
			}
			a := p.server.Locate(r.Host, name)
			if held, _ := p.server.Image(a); !known && (!held.Public || slices.ContainsFunc(actions, func(s string) bool { return s != "pull" })) {
				p.server.Refuse(w, http.StatusForbidden)
				return
			}
			t.Access[key(a)] = append(t.Access[key(a)], actions...)
		}
	}
	text, issued := p.seal(t), p.server.Now().UTC().Format(time.RFC3339)
	writeJSON(w, http.StatusOK, "application/json", map[string]any{
		"token": text, "access_token": text, "expires_in": int(lifetime / time.Second), "issued_at": issued,
	})
}

// cutScope reads repository:NAME:pull,push.
func cutScope(scope string) (name string, actions []string, ok bool) {
	rest, ok := strings.CutPrefix(scope, "repository:")
	at := strings.LastIndexByte(rest, ':')
	if !ok || at < 0 {
		return "", nil, false
	}
	return rest[:at], strings.Split(rest[at+1:], ","), true
}

func (p *plane) seal(t token) string {
	text, err := json.Marshal(t)
	if err != nil {
		return "" // a token always encodes
	}
	body := base64.RawURLEncoding.EncodeToString(text)
	return body + "." + p.sign(body)
}

func (p *plane) sign(text string) string {
	mac := hmac.New(sha256.New, p.key[:])
	mac.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// bearer is the token of a request, if it has one that is valid.
func (p *plane) bearer(r *http.Request) (t token, ok bool) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	body, signature, _ := strings.Cut(text, ".")
	if !ok || !hmac.Equal([]byte(signature), []byte(p.sign(body))) {
		return t, false
	}
	plain, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return t, false
	}
	return t, p.server.Now().Unix() < t.Expires
}

// action is what a request does to an image.
func action(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return "pull"
	}
	return "push"
}

// allowed reports whether the token of a request is for what it does.
func (p *plane) allowed(r *http.Request, a emulator.Address) bool {
	t, ok := p.bearer(r)
	return ok && (a.Kind == "" || slices.Contains(t.Access[key(a)], action(r)))
}

// challenge tells a client where it gets the token that it needs.
func (p *plane) challenge(w http.ResponseWriter, r *http.Request, a emulator.Address) {
	region := cmp.Or(a.Region, worlds.Regions()[0])
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	value := "Bearer realm=" + strconv.Quote(scheme+"://"+r.Host+emulator.TokenPath+region+"/tokens") + `,service="registry"`
	if a.Kind != "" {
		name := strings.TrimPrefix(r.URL.Path[:strings.LastIndex(r.URL.Path, "/"+a.Kind+"/")], "/v2/")
		actions := "pull"
		if action(r) == "push" {
			actions = "pull,push"
		}
		value += fmt.Sprintf(",scope=%q", "repository:"+name+":"+actions)
	}
	if strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		value += `,error="insufficient_scope"`
	}
	w.Header().Set("WWW-Authenticate", value)
	problem(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
}
