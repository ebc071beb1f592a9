package policy

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/registry-janitor/registry-janitor/registry"
)

// sample is the retention part of the documented configuration.
const sample = `
timezone: Europe/Paris
retention:
  - name: pull request builds
    match: {images: ["**"], tags: ["pr-*"]}
    count: digests
    delete: {older_than: 14d, older_than_seconds: 1209600}
  - name: branch builds
    match: {tags: ["main-*"]}
    count: digests
    keep: {last: 10, within: 30d, within_seconds: 2592000}
    delete: {older_than: 24h, older_than_seconds: 86400}
  - name: releases
    match: {semver: "*"}
    count: digests
    keep: {all: true}
protect: {tags: [latest]}
`

// mixed is an image of n tags: pull-request builds, branch builds, releases. With
// expired, most of them are condemned; without, none is.
func mixed(n int, expired bool) *registry.Image {
	tags := make([]registry.Tag, 0, n)
	for i := range n {
		age := time.Duration(i) * time.Minute
		if expired {
			age += 60 * days
		}
		switch name := ""; i % 10 {
		case 9:
			name = fmt.Sprintf("v1.%d.%d", i/100, i%100)
			tags = append(tags, aTag(name, age))
		case 5, 6, 7, 8:
			tags = append(tags, aTag(fmt.Sprintf("main-%07d", i), age))
		default:
			tags = append(tags, aTag(fmt.Sprintf("pr-%d", i), age))
		}
	}
	return anImage(tags...)
}

func BenchmarkImage(b *testing.B) {
	e := newEngine(b, sample)
	for _, n := range []int{1, 10, 100, 1000, 10000} {
		b.Run(fmt.Sprintf("condemned/tags=%d", n), func(b *testing.B) { benchmarkImages(b, e, mixed(n, true)) })
	}
	for _, n := range []int{100, 10000} {
		b.Run(fmt.Sprintf("nothing/tags=%d", n), func(b *testing.B) { benchmarkImages(b, e, mixed(n, false)) })
	}
}

func BenchmarkOwnPolicy(b *testing.B) {
	e := newEngine(b, sample, header+"delete contains tag.name if {\n\tsome tag in input.tags\n\tstartswith(tag.name, \"pr-\")\n\ttag.age_days > 14\n}")
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("tags=%d", n), func(b *testing.B) { benchmarkImages(b, e, mixed(n, true)) })
	}
}

func benchmarkImages(b *testing.B, e *Engine, img *registry.Image) {
	j := e.At(now, WhatCounts)
	b.ReportAllocs()
	for b.Loop() {
		v, err := j.Image(context.Background(), img)
		if err != nil || v.Err != nil {
			b.Fatal(err, v.Err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(img.Tags)), "ns/tag")
}
