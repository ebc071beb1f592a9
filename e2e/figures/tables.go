package main

// bench are the arguments of go test for benchmarks alone.
func bench(names, folder string, more ...string) []string {
	return append([]string{"-run", "xxx", "-bench", names, folder}, more...)
}

// tables are those of docs/benchmarks.md, in its order.
func tables() []table {
	return []table{
		planned("A million tags, end to end", "MillionTags"),
		planned("Five million tags", "FiveMillionTags"),
		{
			title: "The second run", dir: "cmd/registry-janitor", test: bench("SecondRun", ".", "-benchtime", "1x"),
			rows: []row{
				{"calls of the first run", []string{"SecondRun"}, "first-calls", "%.0f"},
				{"calls of the second run, against the first", []string{"SecondRun"}, "second-calls-%", "%.1f %%"},
				{"CPU of the second run, against the first", []string{"SecondRun"}, "second-cpu-%", "%.1f %%"},
				{"peak memory of the second run", []string{"SecondRun"}, "second-MB", "%.0f MB"},
				{"growth of the ledger, for each tag", []string{"SecondRun"}, "ledger-bytes/tag", "%.0f bytes"},
			},
		},
		{
			title: "Scanning alone", test: bench("Scan$", "./scanner", "-benchtime", "1x"),
			rows: []row{
				{"wall clock, 2,000 images of 50 tags, against calls × latency ÷ concurrency", []string{"Scan"}, "times-ideal", "%.2f ×"},
			},
		},
		judging(),
		{
			title: "Planning", test: bench("Image$|Plan$", "./actions/plan"),
			rows: []row{
				{"CPU for each tag of an image whose tags are all marked, 100 / 1,000 / 10,000 / 100,000 tags", sizes("Image", "tags=100", "tags=1000", "tags=10000", "tags=100000"), "cpu-ns/tag", "%.0f ns"},
				{"a plan of 100,000 steps holds", []string{"Plan"}, "MiB-live", "%.0f MiB"},
			},
		},
		{
			title: "Reports", test: bench("HugePlan", "./internal/report", "-benchtime", "3x"),
			rows: []row{
				{"CPU for 100,000 deletions as JSON / Markdown / HTML / text", formats(), "cpu-s", "%.2f s"},
				{"length", formats(), "MB", "%.2f MB"},
				{"peak memory of the process, with the plan", formats(), "peak-MB", "%.0f MB"},
			},
		},
		{title: "Applying", test: []string{"./actions/apply", "-run", "WhatApplyingCosts", "-v", "-count=1"}},
		{title: "Archiving", test: []string{"./actions/apply", "-run", "WhatArchivingCosts", "-v", "-count=1"}},
		{title: "Applying over HTTP", test: bench("Apply$", "./actions/apply", "-benchtime", "1x"), rows: []row{
			{"wall clock, 10,000 tags, against deletions × latency ÷ concurrency", []string{"Apply"}, "×ideal", "%.2f ×"},
			{"calls for each tag", []string{"Apply"}, "calls/tag", "%.2f"},
		}},
		archived(),
		{title: "The ledger", test: bench("Journal", "./internal/ledger", "-benchtime", "2s"), rows: []row{
			{"SQLite, one writer / 16 writers", sizes("Journal/sqlite", "writers=1", "writers=16"), "steps/s", "%.0f steps/s"},
		}},
		{title: "What is in use", test: []string{"./internal/kube", "-run", "ManyPods", "-v", "-count=1"}},
		{title: "The emulator: pages", test: bench("ListPages", "./emulator"), rows: []row{
			{"CPU for a page of 50 tags", []string{"ListPages/tags"}, "cpu-µs/page", "%.0f µs"},
			{"CPU for a page of 100 images with 50 tag names each", []string{"ListPages/images_first_page"}, "cpu-µs/page", "%.0f µs"},
			{"CPU for a single tag", []string{"ListPages/one_tag"}, "cpu-µs/page", "%.0f µs"},
		}},
		{title: "The emulator: memory", test: bench("Memory", "./emulator", "-benchtime", "1x"), rows: []row{
			{"the live heap of a million tags", []string{"Memory"}, "MB", "%.0f MB"},
			{"CPU to start with them", []string{"Memory"}, "cpu-s/start", "%.1f s"},
		}},
	}
}

// archived is what an archive in a directory costs a run that deletes.
func archived() table {
	runs := sizes("ApplyArchive", "60_tags_of_1_MB", "900_tags_of_100_kB")
	return table{
		title: "Applying with an archive", dir: "cmd/registry-janitor", test: bench("ApplyArchive", ".", "-benchtime", "2x"),
		rows: []row{
			{"60 tags of 1 MB / 900 tags of 100 kB, without an archive", runs, "without-s", "%.2f s"},
			{"with it", runs, "with-s", "%.2f s"},
			{"with it, against without", runs, "with/without", "%.1f ×"},
		},
	}
}

// judging is the CPU time of the policies for each tag.
func judging() table {
	const unit, form = "cpu-µs/tag", "%.1f µs"
	of := func(words, name string, variants ...string) row {
		return row{words, sizes(name, variants...), unit, form}
	}
	return table{
		title: "Judging", test: bench("Marked|Steady|TenRules|TenTags|OneDigest|OwnPolicy|Floor", "./policy"),
		rows: []row{
			of("most tags marked, images of 100 / 1,000 / 10,000 tags", "Marked", "tags=100", "tags=1000", "tags=10000"),
			of("3 % of the images have candidates, 18 / 100 / 1,000 tags", "Steady", "tags=18", "tags=100", "tags=1000"),
			of("ten rules with regular expressions, 100 / 1,000 / 10,000 tags", "TenRules", "tags=100", "tags=1000", "tags=10000"),
			of("10,000 tags of one digest, own policy", "OneDigest", "tags=10000"),
			of("own policy beside the rules, 100 / 1,000 / 10,000 tags", "OwnPolicy", "tags=100", "tags=1000", "tags=10000"),
			of("one image of ten tags / ten images of one tag", "TenTags", "images=1", "images=10"),
			of("the same decisions in plain Go, without Rego: three rules / ten rules, 10,000 tags", "Floor", "sample/tags=10000", "ten_rules/tags=10000"),
		},
	}
}

// sizes are the variants of one benchmark.
func sizes(name string, variants ...string) []string {
	var names []string
	for _, v := range variants {
		names = append(names, name+"/"+v)
	}
	return names
}

// formats are the variants of the benchmark of reports.
func formats() []string {
	return sizes("HugePlan", "format=json", "format=markdown", "format=html", "format=text")
}

func planned(title, name string) table {
	of := []string{name}
	return table{
		title: title, dir: "cmd/registry-janitor", test: bench("Benchmark"+name+"$", ".", "-benchtime", "1x"),
		rows: []row{
			{"calls, against the fewest", of, "calls/least", "%.3f ×"},
			{"wall clock", of, "wall-s", "%.1f s"},
			{"against the larger of (calls × latency ÷ concurrency) and (CPU of both ÷ 2)", of, "wall/bound", "%.2f ×"},
			{"CPU of the planner", of, "planner-cpu-s", "%.1f s"},
			{"for each tag", of, "planner-µs/tag", "%.1f µs"},
			{"CPU of the emulator", of, "emulator-cpu-s", "%.1f s"},
			{"peak memory of the planner", of, "planner-MB", "%.0f MB"},
			{"peak memory of the emulator", of, "emulator-MB", "%.0f MB"},
		},
	}
}
