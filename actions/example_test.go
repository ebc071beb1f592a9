package actions_test

import (
	"fmt"
	"os"

	"github.com/registry-janitor/registry-janitor/actions"
)

// A plan file is read back before it is applied.
func ExampleDecode() {
	file, err := os.Open("plan/testdata/story.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	p, err := actions.Decode(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Summary.Deletions(), "deletions,", p.Summary.Held, "held")
	for _, h := range p.Held {
		fmt.Println(h.Ref, h.Guard+":", h.Detail)
	}
	// Output:
	// 2 deletions, 2 held
	// rg.fr-par.scw.cloud/prod/api:pr-13 min_age: 30m old, younger than the 1h of min_age
	// rg.fr-par.scw.cloud/prod/api:v1.4.0 shared_digest: shares its digest with latest, which no rule marks
}
