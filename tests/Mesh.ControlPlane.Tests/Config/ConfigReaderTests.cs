using Google.Protobuf.WellKnownTypes;
using Istio.Networking.V1Alpha3;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Validation;
using Mesh.K8s.V1;

namespace Mesh.ControlPlane.Tests.Reading;

public class ConfigReaderTests
{
    [Fact]
    public void Reads_a_virtual_service_with_both_spellings_and_go_durations()
    {
        var spec = Yamls.Spec<VirtualService>("""
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata:
              name: reviews
            spec:
              hosts: [reviews, "*.example.com"]
              exportTo: ["."]
              http:
              - name: jason
                match:
                - headers:
                    end-user: {exact: jason}
                  query_params:
                    q: {regex: "a.*"}
                  ignoreUriCase: yes
                  sourceLabels: {app: productpage}
                route:
                - destination: {host: reviews, subset: v2, port: {number: 0x50}}
                  weight: 90
                - destination: {host: reviews, subset: v1}
                  weight: "10"
                timeout: 1m1.5s
                retries: {attempts: 3, per_try_timeout: 100ms, retryOn: "5xx,503"}
            """);

        var http = spec.Http.ShouldHaveSingleItem();
        http.Match[0].Headers["end-user"].Exact.ShouldBe("jason");
        http.Match[0].QueryParams["q"].Regex.ShouldBe("a.*");
        http.Match[0].IgnoreUriCase.ShouldBeTrue();
        http.Route[0].Destination.Port.Number.ShouldBe(80u);
        http.Route.Select(r => r.Weight).ShouldBe([90, 10]);
        http.Timeout.ShouldBe(new Duration { Seconds = 61, Nanos = 500_000_000 });
        http.Retries.PerTryTimeout.ShouldBe(new Duration { Nanos = 100_000_000 });
    }

    [Fact]
    public void Reads_a_service_as_kubectl_prints_it()
    {
        var text = Yamls.Read("""
            apiVersion: v1
            kind: Service
            metadata:
              annotations:
                kubectl.kubernetes.io/last-applied-configuration: |
                  {"apiVersion":"v1"}
              creationTimestamp: "2024-05-01T12:00:00Z"
              generation: 2
              labels:
                app.kubernetes.io/name: reviews
              name: reviews
              namespace: shop
              resourceVersion: "831"
              uid: 5f0e8a9e-0000-0000-0000-000000000000
              managedFields:
              - apiVersion: v1
                fieldsV1:
                  f:spec: {f:ports: {".": {}}}
                manager: kubectl
                operation: Update
            spec:
              clusterIP: 10.0.0.7
              clusterIPs: [10.0.0.7]
              internalTrafficPolicy: Cluster
              ipFamilies: [IPv4]
              ipFamilyPolicy: SingleStack
              ports:
              - {name: http, port: 9080, protocol: TCP, targetPort: web, appProtocol: http}
              - {name: metrics, port: 15020, targetPort: 15020}
              selector: {app: reviews}
              sessionAffinity: None
              type: ClusterIP
            status:
              loadBalancer: {}
            """);

        text.Diagnostics.ShouldBeEmpty();
        var resource = text.Resources.Single();
        resource.Key.ShouldBe(("Service", "shop", "reviews"));
        resource.Created.ShouldBe(new DateTimeOffset(2024, 5, 1, 12, 0, 0, TimeSpan.Zero));
        resource.Labels["app.kubernetes.io/name"].ShouldBe("reviews");
        var spec = resource.Spec.ShouldBeOfType<ServiceSpec>();
        spec.Ports[0].TargetPort.StrVal.ShouldBe("web");
        spec.Ports[1].TargetPort.IntVal.ShouldBe(15020);
        spec.ClusterIp.ShouldBe("10.0.0.7");
    }

    [Fact]
    public void Reads_many_documents_lists_and_skips_empty_ones()
    {
        var text = Yamls.Read("---\n# nothing\n---\n" + Yamls.Service("a") + "---\n---\n" + """
            apiVersion: v1
            kind: List
            items:
            - apiVersion: v1
              kind: Service
              metadata: {name: b}
              spec:
                ports: [{port: 80}]
            - apiVersion: v1
              kind: Service
              metadata: {name: c}
              spec:
                ports: [{port: 80, [port]: 81}]
            - apiVersion: v1
              kind: Service
              metadata: {name: d}
              spec:
                ports: [{port: 70000}]
            """);

        text.Resources.Select(r => r.Name).ShouldBe(["a", "b"]);
        Yamls.Lines(text).ShouldBe(
        [
            "23:24  the key of a mapping must be a string, not a list.",
            "28:20 items[2].spec.ports[0].port must be a port from 1 to 65535, not 70000.",
        ]);
        text.Resources.Last().Source.Line.ShouldBe(14);
        text.Resources.Last().Source.Locate("spec.ports[0].port").ShouldBe((18, 20));
    }

    [Fact]
    public void Tells_all_errors_of_a_text_at_once_each_with_its_place_and_path()
    {
        var text = Yamls.Read("""
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata:
              name: reviews
              labels: {version: 1}
            spec:
              host: [reviews]
              http:
              - rout:
                - destination: {host: reviews}
                timeout: 3
                fault:
                  abort: {httpStatus: 500, grpcStatus: UNAVAILABLE}
                retries: {attempts: many}
              exportTo: "*"
              export_to: ["*"]
            ---
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: reviews}
            spec:
              host: reviews
              trafficPolicy: {loadBalancer: {simple: ROUND_ROBBIN}}
            """);

        text.Resources.ShouldBeEmpty();
        Yamls.Lines(text).ShouldBe(
        [
            "5:21 metadata.labels.version must be a string, not the number 1: quote it, \"1\".",
            "7:3 spec.host VirtualService has no field \"host\". Did you mean \"hosts\"?",
            "9:5 spec.http[0].rout HTTPRoute has no field \"rout\". Did you mean \"route\"?",
            "11:14 spec.http[0].timeout must be a duration, not the number 3: give it a unit, 3s.",
            "13:32 spec.http[0].fault.abort.grpcStatus cannot be given beside \"httpStatus\" (line 13): only one of httpStatus, grpcStatus, http2Error may be set.",
            "14:25 spec.http[0].retries.attempts must be a whole number, not the string \"many\".",
            "15:13 spec.exportTo must be a list, not the string \"*\": begin each item with \"- \".",
            "16:3 spec.exportTo is given twice, as \"exportTo\" in line 15 and as \"export_to\": keep one.",
            "23:42 spec.trafficPolicy.loadBalancer.simple must be one of UNSPECIFIED, LEAST_CONN, RANDOM, PASSTHROUGH, ROUND_ROBIN, LEAST_REQUEST, not the string \"ROUND_ROBBIN\". Did you mean \"ROUND_ROBIN\"?",
        ]);
        text.Diagnostics.First().ToString().ShouldStartWith("mesh.yaml:5:21: error IST0106: VirtualService default/reviews: metadata.labels.version: must be a string");
    }

    [Theory]
    [InlineData("kind: Service\nmetadata: {name: a}\nspec: {}", "1:1  apiVersion is missing.")]
    [InlineData("apiVersion: v1\nmetadata: {name: a}", "1:1  kind is missing.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: a}\n", "1:1  spec is missing.")]
    [InlineData("apiVersion: v1\nkind: Service\nspec: {ports: [{port: 80}]}", "1:1  metadata is missing: give the document metadata.name.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {}\nspec: {ports: [{port: 80}]}", "3:1 metadata name is missing.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: A_b}\nspec: {ports: [{port: 80}]}", "3:18 metadata.name \"A_b\" is not a name: lower-case letters, digits, '-' and '.', letters or digits at both ends.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: a.b}\nspec: {ports: [{port: 80}]}", "3:32 metadata.namespace \"a.b\" is not a namespace: lower-case letters, digits and '-', at most 63.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: a, labels: {x: \"-\"}}\nspec: {ports: [{port: 80}]}", "3:33 metadata.labels.x \"-\" is not a label's value: at most 63 letters, digits, '-', '_' and '.', letters or digits at both ends.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: [80]", "4:7 spec must be a mapping with the fields of ServiceSpec, not a list.")]
    [InlineData("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nports: []\nspec: {ports: [{port: 80}]}", "4:1 ports a Service has no field \"ports\". Did you mean \"spec.ports\"?")]
    [InlineData("apiVersion: v2\nkind: Service\nmetadata: {name: a}", "1:13 apiVersion Service is not known in the version \"v2\": write v1.")]
    [InlineData("apiVersion: v1\nkind: VirtualService\nmetadata: {name: a}", "1:13 apiVersion VirtualService is not of the group \"v1\": write apiVersion: networking.istio.io/v1.")]
    [InlineData("- a\n- b", "1:1  a document must be a mapping with apiVersion, kind, metadata and spec, not a list.")]
    [InlineData("apiVersion: 1\nkind: Service", "1:13 apiVersion must be a string, not the number 1.")]
    public void Refuses_a_wrong_envelope(string yaml, string expected) => Yamls.Lines(Yamls.Read(yaml)).ShouldBe([expected]);

    [Theory]
    [InlineData("apps/v1", "Deployment")]
    [InlineData("v1", "ServiceAccount")]
    [InlineData("v1", "ConfigMap")]
    [InlineData("networking.k8s.io/v1", "Ingress")]
    public void Kinds_that_mean_nothing_to_a_mesh_are_skipped_in_silence(string apiVersion, string kind)
        => Yamls.Read($"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {{anything: [1]}}").Diagnostics.ShouldBeEmpty();

    [Theory]
    [InlineData("extensions.istio.io/v1alpha1", "WasmPlugin", "the kind WasmPlugin (extensions.istio.io/v1alpha1) is not applied by this version: the document is skipped.")]
    [InlineData("networking.istio.io/v1", "VirtualServise", "the kind VirtualServise (networking.istio.io/v1) is not applied by this version: the document is skipped. Did you mean \"VirtualService\"?")]
    [InlineData("v1", "Sevice", "the kind Sevice (v1) is not applied by this version: the document is skipped. Did you mean \"Service\"?")]
    public void Kinds_that_are_not_read_are_told(string apiVersion, string kind, string expected)
        => Yamls.Lines(Yamls.Read($"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: a}}"), ConfigSeverity.Warning).ShouldBe([$"2:7 kind {expected}"]);

    [Fact]
    public void Lenient_reading_turns_unknown_fields_into_warnings()
    {
        var text = Yamls.Read(Yamls.Route("bogus: 1"), lenient: true);

        text.Resources.ShouldHaveSingleItem();
        text.Diagnostics.ShouldHaveSingleItem().Severity.ShouldBe(ConfigSeverity.Warning);
    }

    [Theory]
    [InlineData("ignoreUriCase", "\"true\"", "must be true or false, not the string \"true\": write it without quotes.")]
    [InlineData("ignoreUriCase", "1", "must be true or false, not the number 1.")]
    [InlineData("port", "-1", "must be from 0 to 4294967295, not -1.")]
    [InlineData("port", "80.5", "must be a whole number, not the number 80.5.")]
    [InlineData("port", "[80]", "must be a whole number, not a list.")]
    [InlineData("port", "4294967296", "must be from 0 to 4294967295, not 4294967296.")]
    [InlineData("sourceNamespace", "on", "must be a string, not the boolean on: quote it, \"on\".")]
    [InlineData("sourceNamespace", "007", "must be a string, not the number 007: quote it, \"007\".")]
    [InlineData("uri", "/a", "must be a mapping with the fields of StringMatch, not the string \"/a\".")]
    [InlineData("headers", "[a]", "must be a mapping, not a list.")]
    public void Refuses_a_value_of_the_wrong_type(string field, string value, string expected)
    {
        var lines = Yamls.Lines(Yamls.Read(Yamls.Route($"match:\n- {field}: {value}")));

        lines.ShouldBe([$"12:{9 + field.Length} spec.http[0].match[0].{field} {expected}"]);
    }

    [Theory]
    [InlineData("80", 80u)]
    [InlineData("0x1F90", 8080u)]
    [InlineData("0o120", 80u)]
    [InlineData("0120", 80u)]
    [InlineData("0b101_0000", 80u)]
    [InlineData("8_080", 8080u)]
    [InlineData("80.0", 80u)]
    [InlineData("8e1", 80u)]
    [InlineData("\"80\"", 80u)]
    [InlineData("!!int 80", 80u)]
    [InlineData("null", 0u)]
    [InlineData("~", 0u)]
    public void Reads_whole_numbers_as_yaml_1_1_writes_them(string value, uint expected)
        => Yamls.Spec<VirtualService>(Yamls.Route($"match:\n- port: {value}")).Http[0].Match[0].Port.ShouldBe(expected);

    [Theory]
    [InlineData("2024-05-01", "2024-05-01")]
    [InlineData("1.2.3", "1.2.3")]
    [InlineData("v1", "v1")]
    [InlineData("'1'", "1")]
    [InlineData("!!str 1", "1")]
    [InlineData("0x", "0x")]
    [InlineData("1:30", "1:30")]
    public void Reads_strings_as_kubernetes_does(string value, string expected)
        => Yamls.Spec<VirtualService>(Yamls.Route($"headers:\n  request:\n    set: {{x: {value}}}")).Http[0].Headers.Request.Set["x"].ShouldBe(expected);

    [Fact]
    public void A_service_takes_no_quoted_port_number()
        => Yamls.Lines(Yamls.Read("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports:\n  - port: \"80\""))
            .ShouldBe(["6:11 spec.ports[0].port must be a whole number, not the string \"80\": write it without quotes."]);

    [Fact]
    public void Enums_are_read_by_number_and_wrappers_by_their_bare_value()
    {
        var spec = Yamls.Spec<DestinationRule>("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec:
              host: a
              trafficPolicy:
                loadBalancer: {simple: 4}
                outlierDetection: {consecutive5xxErrors: 7, consecutiveGatewayErrors: "0"}
                retryBudget: {percent: 12.5}
            """);

        spec.TrafficPolicy.LoadBalancer.Simple.ShouldBe(LoadBalancerSettings.Types.SimpleLB.RoundRobin);
        spec.TrafficPolicy.OutlierDetection.Consecutive5XxErrors.ShouldBe(7u);
        spec.TrafficPolicy.OutlierDetection.ConsecutiveGatewayErrors.ShouldBe(0u);
        spec.TrafficPolicy.RetryBudget.Percent.ShouldBe(12.5);
    }

    [Fact]
    public void Reads_bytes_in_base64()
        => Yamls.Spec<VirtualService>(Yamls.Head + "  hosts: [a]\n  http:\n  - directResponse: {status: 200, body: {bytes: aGVsbG8}}").Http[0].DirectResponse.Body.Bytes.ToStringUtf8().ShouldBe("hello");

    [Fact]
    public void Anchors_aliases_and_merge_keys_are_written_out()
    {
        var spec = Yamls.Spec<ServiceEntry>("""
            apiVersion: networking.istio.io/v1
            kind: ServiceEntry
            metadata: {name: a}
            spec:
              hosts: [a.example.com]
              ports: [{name: http, number: 80, protocol: HTTP}]
              resolution: STATIC
              endpoints:
              - &first
                address: 10.0.0.1
                labels: &labels {app: a, version: v1}
                weight: 5
              - <<: *first
                address: 10.0.0.2
                labels:
                  <<: [*labels, {zone: z, app: other}]
                  version: v2
            """);

        spec.Endpoints[1].Address.ShouldBe("10.0.0.2");
        spec.Endpoints[1].Weight.ShouldBe(5u);
        spec.Endpoints[1].Labels.OrderBy(l => l.Key).Select(l => $"{l.Key}={l.Value}").ShouldBe(["app=a", "version=v2", "zone=z"]);
    }

    [Fact]
    public void What_is_parsed_but_not_applied_is_told_once_per_field_with_its_first_place()
    {
        var text = Yamls.Read(
            Yamls.Route("mirror_percent: 3\nmatch:\n- gateways: [mesh, ingress]") + "  - route: [{destination: {host: reviews}}]\n    match: [{gateways: [ingress]}]\n---\n"
            + "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  ports: [{port: 80}]\n  publishNotReadyAddresses: true\n");

        Yamls.Lines(text).ShouldBeEmpty();
        text.Diagnostics.Select(d => $"{d.Line}:{d.Column} {d.Code} {d.Path} {d.Message}").ShouldBe(
        [
            "13:24 MESH0004 spec.http[0].match[0].gateways[1] ingress is accepted, but not yet applied by this version, which knows mesh. (And 1 more of this field in the document.)",
            "11:21 IST0002 spec.http[0].mirrorPercent is deprecated by Istio.",
            "22:29 MESH0004 spec.publishNotReadyAddresses accepted, but not yet applied by this version.",
        ], ignoreOrder: true);
    }

    [Fact]
    public void The_interval_of_a_retry_budget_is_told_and_the_rest_of_it_is_not()
        => Yamls.Read(Yamls.Subset("reviews") + "  trafficPolicy: {retryBudget: {percent: 20, budgetInterval: 10s, minRetryConcurrency: 3}}\n")
            .Diagnostics.Select(d => $"{d.Code} {d.Path}").ShouldBe(["MESH0004 spec.trafficPolicy.retryBudget.budgetInterval"]);

    [Fact]
    public void What_is_honoured_gives_no_warning()
    {
        var text = Yamls.Read(Yamls.Subset("reviews") + "  trafficPolicy: {loadBalancer: {simple: LEAST_CONN}}\n---\n" + Yamls.Route("name: x\nmatch:\n- uri: {prefix: /}\n  headers: {end-user: {exact: jason}}"));

        text.Diagnostics.ShouldBeEmpty();
        text.Resources.Count().ShouldBe(2);
    }

    [Fact]
    public void Every_honoured_path_names_a_field_that_exists()
    {
        foreach (var kind in ConfigKinds.All)
        {
            Check(kind.Honoured!, kind.Spec, kind.Kind);
        }

        static void Check(HonouredFieldSet set, Google.Protobuf.Reflection.MessageDescriptor message, string path)
        {
            foreach (var name in set.Names)
            {
                var field = message.Fields.InDeclarationOrder().SingleOrDefault(f => f.JsonName == name);
                field.ShouldNotBeNull($"{path}.{name}");
                var child = set.Find(name)!;
                if (child.Names.Any())
                {
                    Check(child, field.MessageType, $"{path}.{name}");
                }
            }
        }
    }

    [Theory]
    [InlineData("spec.http[0].route[0].destination.host", 10, 15)]
    [InlineData("spec.http[0].route[0].weight", 9, 7)]
    [InlineData("spec.http[0].match[0].headers[\"x.y\"].exact", 12, 30)]
    [InlineData("spec.http[0].match[0].ignoreUriCase", 13, 24)]
    [InlineData("spec.http[7]", 7, 3)]
    [InlineData("spec.tcp", 5, 1)]
    [InlineData("nowhere", 1, 1)]
    public void A_document_tells_where_a_path_is_written(string path, int line, int column)
    {
        // A comment and another document before it move everything by four lines.
        var text = Yamls.Read("# first\n---\n{}\n---\n" + Yamls.Route("match:\n- headers: {x.y: {exact: z}}\n  ignore_uri_case: true"));

        var source = text.Resources.Single().Source;
        source.Line.ShouldBe(5);
        source.Locate(path).ShouldBe((line + 4, column));
    }

    [Fact]
    public void Places_are_right_in_files_with_windows_line_ends()
    {
        var text = Yamls.Read((Yamls.Service("a") + "---\n" + Yamls.Service("b", 0)).ReplaceLineEndings("\r\n"));

        Yamls.Lines(text).ShouldBe(["11:18 spec.ports[0].port must be a port from 1 to 65535, not 0."]);
        text.Resources.Single().Source.Locate("spec.ports[0].port").ShouldBe((5, 18));
    }
}
