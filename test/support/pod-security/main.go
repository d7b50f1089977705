// Command pod-security reads pods as a JSON list and writes, for each, what the Pod Security level
// "restricted" forbids in it: an empty string if nothing. The judgement is that of Kubernetes.
package main

import (
	"encoding/json"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

func main() {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		log.Fatal(err)
	}
	var pods []corev1.PodTemplateSpec
	if err := json.NewDecoder(os.Stdin).Decode(&pods); err != nil {
		log.Fatal(err)
	}
	level := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	forbidden := make([]string, len(pods))
	for i, pod := range pods {
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec))
		forbidden[i] = result.ForbiddenDetail()
	}
	if err := json.NewEncoder(os.Stdout).Encode(forbidden); err != nil {
		log.Fatal(err)
	}
}
