package probe

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/registry-janitor/registry-janitor/internal/clock"
	"github.com/registry-janitor/registry-janitor/internal/scaleway"
	"github.com/registry-janitor/registry-janitor/registry"
)

// many is how many tags an image gets, to see whether names inside an image are cut off,
// and what a page of more than 100 shows.
const many = 250

// manyTags looks at the listings of an image with many tags.
func (s *scratch) manyTags(ctx context.Context) error {
	u, err := s.subject("many")
	if err != nil {
		return err
	}
	image, err := tiny("many")
	if err != nil {
		return err
	}
	var tags []string
	for i := range many {
		tags = append(tags, fmt.Sprintf("tag-%03d", i))
	}
	if err := u.push(ctx, image, tags...); err != nil {
		return err
	}
	row, listed, err := u.row(ctx)
	if err == nil && !listed {
		err = fmt.Errorf("%s is not listed", u.ref)
	}
	if err != nil {
		return err
	}
	s.report.Findings.InlineTags = choose(len(row.TagNames) == many, "complete", "truncated")
	s.saw("inline_tags", "an image with %d tags shows %d of their names", many, len(row.TagNames))
	path := "images/" + u.id + "/tags"
	answer, err := s.API.Ask(ctx, s.Region, path, map[string]string{"page_size": "101"})
	if err != nil {
		return err
	}
	switch {
	case answer.Status >= 500 || answer.Status == http.StatusTooManyRequests:
		return fmt.Errorf("page_size=101 was answered with %s", words(answer))
	case answer.Status != http.StatusOK:
		s.report.Findings.PageSizeOver100 = "refused"
		s.saw("page_size_over_100", "page_size=101 was answered with %d: %s", answer.Status, answer.Message)
	case answer.Rows > 100:
		s.report.Findings.PageSizeOver100 = "honoured" //nolint:misspell // the word of a contract
		s.saw("page_size_over_100", "page_size=101 was answered with %d of %d rows", answer.Rows, answer.Total)
	default:
		s.report.Findings.PageSizeOver100 = "clamped"
		s.saw("page_size_over_100", "page_size=101 was answered with %d of %d rows", answer.Rows, answer.Total)
	}
	past, err := s.API.Ask(ctx, s.Region, path, map[string]string{"page_size": "100", "page": "9"})
	if err == nil {
		s.saw("page_past_the_end", "page 9 of 3 was answered with %s", words(past))
	}
	if err != nil {
		return err
	}
	other := registry.Regions()[0]
	if other == s.Region {
		other = registry.Regions()[1]
	}
	foreign, err := s.API.Ask(ctx, other, path, nil)
	if err == nil {
		s.saw("tags_of_an_image_of_another_region", "asked for in %s, was answered with %s", other, words(foreign))
	}
	return err
}

// words is an answer in words.
func words(a scaleway.RawAnswer) string {
	if a.Status != http.StatusOK {
		return fmt.Sprintf("%d: %s", a.Status, a.Message)
	}
	return fmt.Sprintf("200, %d rows and the total %d", a.Rows, a.Total)
}

// missing asks for objects that do not exist.
func (s *scratch) missing(ctx context.Context) error {
	const absent = "00000000-0000-4000-8000-000000000000"
	for _, ask := range []struct{ about, path string }{
		{"missing_namespace", "namespaces/" + absent}, {"missing_image", "images/" + absent}, {"missing_tag", "tags/" + absent},
		{"tags_of_a_missing_image", "images/" + absent + "/tags"},
	} {
		answer, err := s.API.Ask(ctx, s.Region, ask.path, nil)
		if err != nil {
			return err
		}
		s.saw(ask.about, "was answered with %s", words(answer))
	}
	return nil
}

// rates are how many requests a second are tried, one second each.
func rates() []int { return []int{20, 40, 80, 160, 320} }

// rate finds the rate of requests at which the API begins to refuse some.
func (s *scratch) rate(ctx context.Context) error {
	if !s.Rate {
		return nil
	}
	for _, rate := range rates() {
		refused, err := s.burst(ctx, rate)
		if err != nil {
			return err
		}
		if refused > 0 {
			s.saw("rate", "429 begins at about %d requests in one second: %d of them were refused", rate, refused)
			return nil
		}
		if err := s.pause(ctx); err != nil {
			return err
		}
	}
	s.saw("rate", "no request was refused at up to %d requests in one second", rates()[len(rates())-1])
	return nil
}

// burst sends requests evenly over one second, and counts the refused ones.
func (s *scratch) burst(ctx context.Context, rate int) (refused int, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	began := clock.Now()
	for i := range rate {
		wg.Go(func() {
			answer, failed := s.API.AskAtOnce(ctx, s.Region, "namespaces", map[string]string{"page_size": strconv.Itoa(1)})
			mu.Lock()
			defer mu.Unlock()
			if failed != nil {
				err = failed
			}
			if answer.Status == http.StatusTooManyRequests {
				refused++
			}
		})
		next := began.Add(time.Duration(i+1) * time.Second / time.Duration(rate))
		if clock.Sleep(ctx, next.Sub(clock.Now())) != nil {
			break
		}
	}
	wg.Wait()
	return refused, err
}
