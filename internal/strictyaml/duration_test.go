package strictyaml

import (
	"math/rand"
	"regexp"
	"strconv"
	"testing"
	"time"
)

func TestDurationsAreWholeNumbersWithUnits(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "30s": 30 * time.Second, "90m": 90 * time.Minute, "12h": 12 * time.Hour,
		"14d": 336 * time.Hour, "2w": 336 * time.Hour, "6mo": 4320 * time.Hour, "1y": 8760 * time.Hour,
		"1h30m": 90 * time.Minute, "1d12h": 36 * time.Hour,
		"1y1mo1w1d1h1m1s1ms": (365+30+7+1)*24*time.Hour + time.Hour + time.Minute + time.Second + time.Millisecond,
		"0s":                 0, "0d": 0, "0y0ms": 0, "007d": 168 * time.Hour,
		"292y":               292 * 365 * 24 * time.Hour,
		"9223372036854ms":    9223372036854 * time.Millisecond,
		"00000000000000001s": time.Second,
	} {
		d, err := ParseDuration(text)
		if err != nil || d.Duration() != want {
			t.Errorf("%s is %v, %v; want %v", text, d.Duration(), err, want)
		}
		if got := d.String(); want != 0 && got != text || want == 0 && got != "0s" {
			t.Errorf("%s is written %s", text, got)
		}
		if d.Seconds() != want.Seconds() {
			t.Errorf("%s has %v seconds", text, d.Seconds())
		}
	}
}

func TestAnythingElseIsNotADuration(t *testing.T) {
	for _, text := range []string{
		"", "0", "14", "d", "-1d", "+1d", "1.5d", "1,5d", ".5d", "1 d", " 1d", "1d ", "1d\n", "1d 12h", "1D", "1H", "1M", "1sec",
		"1µs", "1us", "1ns", "30m1h", "1h1h", "1ms1s", "1w1mo", "14d ago", "1d12", "1_0d", "0x1d", "1e3s", "٣d", "１d", "1d\x00",
		"300y", "293y", "292y365d", "9223372036855ms", "99999999999999999999999s", "18446744073709551617s", "infinite", "P1D",
	} {
		if d, err := ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, d.Duration())
		}
	}
}

func TestEqualDurationsCanBeWrittenDifferently(t *testing.T) {
	if !MustDuration("14d").Equal(MustDuration("2w")) || MustDuration("14d").Equal(MustDuration("15d")) {
		t.Error("14d is 2w and not 15d")
	}
}

var validDuration = regexp.MustCompile(`^([0-9]+y)?([0-9]+mo)?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`)

func TestACombinationIsTheSumOfItsParts(t *testing.T) {
	seed := rand.Int63()
	random := rand.New(rand.NewSource(seed))
	for range 2000 {
		var text string
		var want time.Duration
		for _, u := range units {
			if random.Intn(2) == 0 {
				n := random.Intn(20)
				text += strconv.Itoa(n) + u.name
				want += time.Duration(n) * u.length
			}
		}
		if d, err := ParseDuration(text); text != "" && (err != nil || d.Duration() != want) {
			t.Fatalf("seed %d: %s is %v, %v; want %v", seed, text, d.Duration(), err, want)
		}
	}
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"500ms", "1h30m", "14d", "2w", "6mo", "1y", "0s", "", "14", "-1d", "1.5h", "300y", "1d1d", "9223372036854775807ms"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDuration(s)
		if err != nil {
			if d != (Duration{}) {
				t.Errorf("%q is an error and %v", s, d)
			}
			return
		}
		if s == "" || !validDuration.MatchString(s) {
			t.Errorf("%q is accepted", s)
		}
		if d.Duration() < 0 {
			t.Errorf("%q is negative: %v", s, d.Duration())
		}
		again, err := ParseDuration(d.String())
		if err != nil || !again.Equal(d) {
			t.Errorf("%q is written %s, which is %v, %v", s, d, again, err)
		}
		if nothing := regexp.MustCompile(`^[0a-z]*$`).MatchString(s); nothing != (d.Duration() == 0) {
			t.Errorf("%q is %v", s, d.Duration())
		}
	})
}
