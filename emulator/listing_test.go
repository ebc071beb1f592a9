package emulator_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/scaleway/scaleway-sdk-go/api/registry/v1"

	"github.com/registry-janitor/registry-janitor/emulator"
)

func TestPagesHoldEveryTagOnce(t *testing.T) {
	for _, n := range []int{0, 1, 99, 100, 101, 250} {
		for _, size := range []uint32{1, 7, 100} {
			t.Run(fmt.Sprintf("%d tags by %d", n, size), func(t *testing.T) {
				tags := ""
				if n > 0 {
					tags = fmt.Sprintf(`{name: "pr-{n}", count: %d, age: 1d, step: 1h}`, n)
				}
				b := serve(t, prod("", tags))
				image := emulator.ImageID("fr-par", "prod", "api")
				seen := map[string]bool{}
				for page := int32(1); ; page++ {
					resp, err := b.api.ListTags(&sdk.ListTagsRequest{ImageID: image, Page: &page, PageSize: &size})
					if err != nil {
						t.Fatal(err)
					}
					if resp.TotalCount != uint32(n) {
						t.Fatalf("page %d: total %d, want %d", page, resp.TotalCount, n)
					}
					if want := max(0, min(int(size), n-int(page-1)*int(size))); len(resp.Tags) != want {
						t.Fatalf("page %d: %d rows, want %d", page, len(resp.Tags), want)
					}
					for _, tag := range resp.Tags {
						seen[tag.Name] = true
					}
					if len(resp.Tags) == 0 {
						break
					}
				}
				if len(seen) != n {
					t.Errorf("%d different tags, want %d", len(seen), n)
				}
				if got := len(b.image("prod", "api").Tags); got != n {
					t.Errorf("%d tag names inline, want %d", got, n)
				}
			})
		}
	}
}

func TestTheDefaultPageSize(t *testing.T) {
	const tags = `{name: "pr-{n}", count: 150, step: 1h}`
	path := "/images/" + emulator.ImageID("fr-par", "prod", "api") + "/tags"
	tests := []struct {
		why, settings, query string
		rows                 int
	}{
		{"is 20", "", "", 20},
		{"is what the world says", "page_size_default: 50", "", 50},
		{"gives way to the request", "page_size_default: 50", "?page_size=30", 30},
		{"is at most 100", "", "?page_size=100", 100},
		{"is cut to 100 where the world says so", "oversize_page: clamp", "?page_size=1000", 100},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			got := serve(t, prod(test.settings, tags)).send("GET", path+test.query, "")
			if rows := strings.Count(got.body, `"digest"`); got.status != 200 || rows != test.rows {
				t.Errorf("%d, %d rows, want %d", got.status, rows, test.rows)
			}
		})
	}
}

const orders = `
namespaces:
  - {name: bb, age: 3d, description: two}
  - {name: cc, age: 1d, description: one}
  - {name: aa, age: 2d, description: two, images: [
      {name: y, age: 3h, created_age: 3h}, {name: x, age: 1h, created_age: 4h}, {name: z, age: 2h, created_age: 2h, tags: [
        {name: m, age: 1h, created_age: 90d}, {name: k, age: 2h}, {name: l, age: 1d}]}]}
`

func TestListsHaveTheRequestedOrder(t *testing.T) {
	b := serve(t, orders)
	tags := "/images/" + emulator.ImageID("fr-par", "aa", "z") + "/tags"
	tests := []struct{ path, order, want string }{
		{"/namespaces", "", "bb aa cc"},
		{"/namespaces", "created_at_asc", "bb aa cc"},
		{"/namespaces", "created_at_desc", "cc aa bb"},
		{"/namespaces", "name_asc", "aa bb cc"},
		{"/namespaces", "name_desc", "cc bb aa"},
		{"/namespaces", "description_asc", "cc bb aa"},
		{"/namespaces", "description_desc", "aa bb cc"},
		{"/images", "", "x y z"},
		{"/images", "created_at_desc", "z y x"},
		{"/images", "name_desc", "z y x"},
		{tags, "", "m l k"},
		{tags, "created_at_asc", "m l k"},
		{tags, "created_at_desc", "k l m"},
		{tags, "name_asc", "k l m"},
		{tags, "name_desc", "m l k"},
	}
	for _, test := range tests {
		t.Run(test.path+" by "+test.order, func(t *testing.T) {
			for size := 1; size <= 4; size++ {
				var got []string
				for page := 1; page <= 3; page++ {
					body := b.send("GET", fmt.Sprintf("%s?order_by=%s&page_size=%d&page=%d", test.path, test.order, size, page), "").body
					got = append(got, rowNames(body)...)
				}
				if s := strings.Join(got, " "); s != test.want {
					t.Errorf("%d rows a page: %s, want %s", size, s, test.want)
				}
			}
		})
	}
}

// rowNames are the names of the rows of a listing.
func rowNames(body string) []string {
	var names []string
	for _, part := range strings.Split(body, `"name":"`)[1:] {
		name, _, _ := strings.Cut(part, `"`)
		names = append(names, name)
	}
	return names
}

func TestFilters(t *testing.T) {
	const other = "33333333-3333-4333-8333-333333333333"
	b := serve(t, `
settings: {organization_id: 44444444-4444-4444-8444-444444444444, project_id: `+project+`}
namespaces:
  - {name: prod, images: [{name: api, tags: [{name: a}, {name: aa}]}, {name: web}]}
  - {name: oss, project_id: `+other+`, images: [{name: api}]}
  - {name: lab, organization_id: `+other+`}`)
	id := func(ns string) string { return emulator.NamespaceID("fr-par", ns) }
	tests := []struct{ why, path, want string }{
		{"an exact name", "/namespaces?name=prod", "prod"},
		{"the beginning of a name", "/namespaces?name=pro", ""},
		{"a project of namespaces", "/namespaces?project_id=" + project, "lab prod"},
		{"an organization of namespaces", "/namespaces?organization_id=" + other, "lab"},
		{"a namespace", "/images?namespace_id=" + id("prod"), "api web"},
		{"a namespace that is not there", "/images?namespace_id=" + unknownID, ""},
		{"an image in every namespace", "/images?name=api", "api api"},
		{"an image in one namespace", "/images?name=api&namespace_id=" + id("oss"), "api"},
		{"a project of images", "/images?project_id=" + other, "api"},
		{"an organization of images", "/images?organization_id=44444444-4444-4444-8444-444444444444", "api api web"},
		{"an organization without images", "/images?organization_id=" + other, ""},
		{"a tag", "/images/" + emulator.ImageID("fr-par", "prod", "api") + "/tags?name=a", "a"},
		{"empty values", "/images?name=&namespace_id=&project_id=&organization_id=&order_by=&page=&page_size=", "api api web"},
	}
	for _, test := range tests {
		t.Run(test.why, func(t *testing.T) {
			got := b.send("GET", test.path, "")
			all := rowNames(got.body)
			slices.Sort(all)
			if s := strings.Join(all, " "); s != test.want {
				t.Errorf("got %s, want %s", s, test.want)
			}
			if want := fmt.Sprintf(`"total_count":%d}`, len(all)); !strings.HasSuffix(got.body, want) {
				t.Errorf("the total must count what passes the filter: %s", got.body)
			}
		})
	}
}

func TestInlineTagsCanBeLimited(t *testing.T) {
	b := serve(t, prod("inline_tags: 2", `{name: "pr-{n}", count: 5, age: 1h, step: 1h}`))
	if diff := cmp.Diff([]string{"pr-5", "pr-4"}, b.image("prod", "api").Tags); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
