using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Tests.Reading;

public class ValidationTests
{
    // Routes begin in line 8 with "  - route:"; their own lines are from 11 on.
    public static TheoryData<string, string> WrongRoutes { get; } = new()
    {
        { "redirect: {uri: /a}", "11:5 spec.http[0].redirect cannot be given beside route: keep one." },
        { "directResponse: {status: 99}", "11:5 spec.http[0].directResponse cannot be given beside route: keep one.|11:30 spec.http[0].directResponse.status must be from 200 to 599, not 99." },
        { "timeout: 1us", "11:14 spec.http[0].timeout must be at least 1ms." },
        { "timeout: -1s", "11:14 spec.http[0].timeout must be at least 1ms." },
        { "timeout: 1.0005s", "11:14 spec.http[0].timeout must be whole milliseconds." },
        { "timeout: 0s", "" },
        { "retries: {attempts: -1}", "11:25 spec.http[0].retries.attempts must not be negative, but is -1." },
        { "retries: {attempts: 0}", "" },
        { "retries: {attempts: 0, retryOn: 5xx}", "11:25 spec.http[0].retries.attempts is 0, which disables retries: remove the other fields of retries, or give it a number." },
        { "retries: {attempts: 1, retryOn: \"5xx, 503,retriable-headers\"}", "" },
        { "fault: {}", "11:5 spec.http[0].fault must have delay, abort or both." },
        { "fault: {delay: {percentage: {value: 101}, fixedDelay: 1s}}", "11:41 spec.http[0].fault.delay.percentage.value must be from 0 to 100, not 101." },
        { "fault: {delay: {exponentialDelay: 1s}}", "11:39 spec.http[0].fault.delay.exponentialDelay is not supported, by Istio neither: use fixedDelay." },
        { "fault: {abort: {httpStatus: 100}}", "11:33 spec.http[0].fault.abort.httpStatus must be from 200 to 599, not 100." },
        { "fault: {abort: {percentage: {value: 1}}}", "11:13 spec.http[0].fault.abort must have httpStatus or grpcStatus." },
        { "rewrite: {}", "11:5 spec.http[0].rewrite rewrites nothing: give uri, uriRegexRewrite or authority." },
        { "mirror: {host: b}\nmirrors: [{percentage: {value: -1}}]", "11:5 spec.http[0].mirror cannot be given beside mirrors: move it into the list.|12:15 spec.http[0].mirrors[0].destination is required: name the host to mirror to.|12:36 spec.http[0].mirrors[0].percentage.value must be from 0 to 100, not -1." },
        { "match:\n- uri: {}", "12:7 spec.http[0].match[0].uri must have exact, prefix or regex." },
        { "match:\n- port: 70000", "12:13 spec.http[0].match[0].port must be a port from 1 to 65535, not 70000." },
        { "match:\n- sourceNamespace: A", "12:24 spec.http[0].match[0].sourceNamespace \"A\" is not a namespace." },
        { "match:\n- sourceLabels: {a: \"b c\"}", "12:25 spec.http[0].match[0].sourceLabels.a \"b c\" is not a label's value: at most 63 letters, digits, '-', '_' and '.', letters or digits at both ends." },
        { "match:\n- headers: {\"a b\": {exact: c}}", "12:17 spec.http[0].match[0].headers[\"a b\"] \"a b\" is not the name of a header." },
        { "match:\n- headers: {a: {}}", "" },
        { "match:\n- gateways: [a/b/c]", "12:18 spec.http[0].match[0].gateways[0] \"a/b/c\" is not a gateway: write its name, namespace/name, or mesh." },
        { "headers: {request: {set: {\"a:\": b}}}", "11:25 spec.http[0].headers.request.set \"a:\" is not a header that can be changed here." },
        { "headers: {request: {set: {Host: b, \":authority\": c}}}", "" },
        { "headers: {response: {remove: [host]}}", "11:26 spec.http[0].headers.response.remove \"host\" is not a header that can be changed here." },
    };

    public static TheoryData<string, string> WrongSpecs { get; } = new()
    {
        { "{hosts: [], http: [{route: [{destination: {host: a}}]}]}", "hosts is required: name the hosts that the routes are for. (Without hosts it would be a delegate, which this version does not apply.)" },
        { "{hosts: [a]}", " has no routes: give http, tcp or tls at least one." },
        { "{hosts: [a], http: [{name: x}]}", "http[0] does nothing: give it route, redirect, directResponse or delegate." },
        { "{hosts: [\"*\"], http: [{route: [{destination: {host: a}}]}]}", "hosts[0] \"*\" is not allowed for the gateway mesh: it would take over every host of every workload." },
        { "{hosts: [\"*\"], gateways: [g], http: [{route: [{destination: {host: a}}]}]}", "" },
        { "{hosts: [a, A], http: [{route: [{destination: {host: a}}]}]}", "hosts[1] \"A\" is given twice: keep one." },
        { "{hosts: [b.a.com, \"*.a.com\"], http: [{route: [{destination: {host: a}}]}]}", "hosts[1] \"*.a.com\" covers \"b.a.com\": keep one, or split the VirtualService." },
        { "{hosts: [a_b], http: [{route: [{destination: {host: a}}]}]}", "hosts[0] \"a_b\" is not a host: write a DNS name, with * as its first label at most, or an IP address." },
        { "{hosts: [a.*.b], http: [{route: [{destination: {host: a}}]}]}", "hosts[0] \"a.*.b\" is not a host: write a DNS name, with * as its first label at most, or an IP address." },
        { "{hosts: [10.0.0.1, a.], http: [{route: [{destination: {host: a}}]}]}", "" },
        { "{hosts: [a], exportTo: [\".\", \".\", \"*\", x_], http: [{route: [{destination: {host: a}}]}]}", "exportTo[1] \".\" is given twice: keep one.|exportTo[2] \"*\" stands alone: remove it or the others.|exportTo[3] must be \".\" (this namespace), \"*\" (all), \"~\" (none) or a namespace, not \"x_\"." },
        { "{hosts: [a], http: [{route: [{weight: 1}]}]}", "http[0].route[0].destination is required: name the host to route to." },
        { "{hosts: [a], http: [{route: [{destination: {}}]}]}", "http[0].route[0].destination.host is required: name the service to route to, such as reviews or reviews.default.svc.cluster.local." },
        { "{hosts: [a], http: [{route: [{destination: {host: \"*\"}}]}]}", "http[0].route[0].destination.host \"*\" is not a host." },
        { "{hosts: [a], http: [{route: [{destination: {host: a, subset: \"v 1\", port: {number: 0}}}]}]}", "http[0].route[0].destination.subset \"v 1\" is not a subset's name: letters, digits and '-', at most 63.|http[0].route[0].destination.port.number must be a port from 1 to 65535, not 0." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 0}, {destination: {host: b}}]}]}", "http[0].route the weights add up to 0, so no destination could be chosen: give at least one a weight." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: -1}, {destination: {host: b}, weight: 1}]}]}", "http[0].route[0].weight must not be negative, but is -1." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 0}]}]}", "" },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 30}, {destination: {host: b}, weight: 30}]}]}", "" },
        { "{hosts: [a], http: [{redirect: {}}]}", "http[0].redirect goes nowhere: give uri, authority, scheme or port." },
        { "{hosts: [a], http: [{redirect: {uri: /a, redirectCode: 200}, fault: {abort: {httpStatus: 500}}}]}", "http[0].fault cannot be given beside redirect.|http[0].redirect.redirectCode must be 301, 302, 303, 307 or 308, not 200." },
        { "{hosts: [a], http: [{retries: {attempts: 1, retryOn: \"5xx,418,419,bogus\"}, route: [{destination: {host: a}}]}]}", "http[0].retries.retryOn \"419\" is neither a status code nor one of|http[0].retries.retryOn \"bogus\" is neither a status code nor one of" },
        { "{hosts: [a], tcp: [{match: [{destinationSubnets: [10.0.0.0/33]}]}]}", "tcp[0].match[0].destinationSubnets[0] \"10.0.0.0/33\" is neither an IP address nor a CIDR.|tcp[0].route is required: name at least one destination." },
        { "{hosts: [a], tls: [{match: [{sniHosts: [b]}], route: [{destination: {host: a}}]}]}", "tls[0].match[0].sniHosts[0] \"b\" is not within the hosts of the VirtualService (a)." },
    };

    public static TheoryData<string, string, string> WrongOthers { get; } = new()
    {
        { "DestinationRule", "{}", "host is required: name the service that the rule is for." },
        { "DestinationRule", "{host: a, subsets: [{name: v1}, {name: v1}, {}, {name: a_b}]}", "subsets[1].name the subset \"v1\" is given twice, first as subsets[0]: rename or remove one.|subsets[2].name is required: VirtualServices name the subset by it.|subsets[3].name \"a_b\" is not a subset's name: letters, digits and '-', at most 63." },
        { "DestinationRule", "{host: a, subsets: [{name: v1, labels: {\"-\": v1}}]}", "subsets[0].labels.- \"-\" is not a label's key: at most 63 letters, digits, '-', '_' and '.', after an optional domain and '/'." },
        { "DestinationRule", "{host: a, trafficPolicy: {loadBalancer: {consistentHash: {}}, outlierDetection: {maxEjectionPercent: 101}}}", "trafficPolicy.loadBalancer.consistentHash must have httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName.|trafficPolicy.outlierDetection.maxEjectionPercent must be from 0 to 100, not 101." },
        { "DestinationRule", "{host: a, trafficPolicy: {portLevelSettings: [{}, {port: {number: 80}}, {port: {number: 80}}]}}", "trafficPolicy.portLevelSettings[0].port is required: name the port by its number.|trafficPolicy.portLevelSettings[2].port.number the port 80 is given twice: keep one." },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: MUTUAL}}}", "trafficPolicy.tls mode MUTUAL needs clientCertificate and privateKey, or credentialName." },
        { "ServiceEntry", "{ports: [{number: 80, name: http}]}", "hosts is required: name at least one host." },
        { "ServiceEntry", "{hosts: [\"*\"], ports: [{number: 80, name: http}]}", "hosts[0] \"*\" alone is not allowed in a ServiceEntry: name a domain, such as *.example.com." },
        { "ServiceEntry", "{hosts: [a.com], addresses: [a, 10.0.0.0/8], ports: [{number: 80, name: http}]}", "addresses[0] \"a\" is neither an IP address nor a CIDR." },
        { "ServiceEntry", "{hosts: [a.com], ports: [{number: 80, name: a}, {number: 80, name: a}, {number: 0, name: \"\", protocol: FTP}]}", "ports[1].name the port name \"a\" is given twice: rename one.|ports[1].number the port 80 is given twice: keep one.|ports[2].name is required.|ports[2].number must be a port from 1 to 65535, not 0.|ports[2].protocol \"FTP\" is none of" },
        { "ServiceEntry", "{hosts: [a.com], ports: [{number: 80, name: http}], resolution: STATIC}", "resolution STATIC needs endpoints or workloadSelector." },
        { "ServiceEntry", "{hosts: [a.com], ports: [{number: 80, name: http}], resolution: STATIC, workloadSelector: {labels: {a: b}}}", "" },
        { "ServiceEntry", "{hosts: [a.com], ports: [{number: 80, name: http}], endpoints: [{address: 10.0.0.1}]}", "endpoints are not allowed with resolution NONE: write resolution STATIC (addresses) or DNS (hosts)." },
        { "ServiceEntry", "{hosts: [a.com], ports: [{number: 80, name: http}], resolution: STATIC, endpoints: [{address: b.com}, {address: 10.0.0.1, ports: {web: 1}}, {}]}", "endpoints[0].address \"b.com\" is not an IP address: resolution STATIC takes addresses, DNS takes hosts.|endpoints[1].ports.web \"web\" is none of the ports above (http).|endpoints[2].address is required: an IP address, a host, or unix:///path." },
        { "ServiceEntry", "{hosts: [a.com, b.com], ports: [{number: 80, name: t, protocol: TCP}], resolution: DNS}", "hosts several hosts cannot be told apart on ports that are neither HTTP nor TLS: write a ServiceEntry for each." },
        { "ServiceEntry", "{hosts: [\"*.com\"], ports: [{number: 80, name: t, protocol: HTTP}], resolution: DNS}", "hosts[0] \"*.com\" cannot be resolved: give endpoints, or resolution NONE." },
        { "WorkloadEntry", "{}", "address is required: an IP address, a host, or unix:///path." },
        { "WorkloadEntry", "{address: \"a b\", ports: {http: 0}}", "address \"a b\" is neither an IP address, nor a host, nor unix:///path.|ports.http must be a port from 1 to 65535, not 0." },
        { "WorkloadEntry", "{address: unix://a, ports: {http: 1}}", "address must name an absolute path (unix:///path) or an abstract socket (unix://@name).|ports a Unix socket has no ports: remove them." },
        { "WorkloadEntry", "{address: \"2001:db8::1\", ports: {http: 1}, weight: 3}", "" },
        { "Service", "{}", "ports is required: name at least one port." },
        { "Service", "{clusterIP: None}", "" },
        { "Service", "{type: ExternalName}", "externalName is required by the type ExternalName." },
        { "Service", "{type: NodePorts, ports: [{port: 80}]}", "type must be one of ClusterIP, NodePort, LoadBalancer, ExternalName, not \"NodePorts\"." },
        { "Service", "{ports: [{port: 80}, {port: 80, name: A, protocol: HTTP}, {port: 80, name: b}]}", "ports[0].name is required where a Service has several ports.|ports[1].name \"A\" is not a port's name: lower-case letters, digits and '-', at most 63.|ports[1].protocol must be one of TCP, UDP, SCTP, not \"HTTP\".|ports[2].port the port 80 is given twice: keep one." },
        { "Service", "{ports: [{port: 80, targetPort: \"8080\"}]}", "ports[0].targetPort must be a number or a name: write it without quotes." },
        { "Service", "{ports: [{port: 80, targetPort: -1}]}", "ports[0].targetPort must be a port from 1 to 65535, not -1." },
        { "Service", "{ports: [{port: 80, targetPort: a-port-with-a-long-name}]}", "ports[0].targetPort \"a-port-with-a-long-name\" is not a port's name: at most 15 lower-case letters, digits and '-'." },
    };

    [Theory]
    [MemberData(nameof(WrongRoutes))]
    public void A_route_is_held_to_istios_rules(string lines, string expected)
        => string.Join("|", Yamls.Lines(Yamls.Read(Yamls.Route(lines)))).ShouldBe(expected);

    [Theory]
    [MemberData(nameof(WrongSpecs))]
    public void A_virtual_service_is_held_to_istios_rules(string spec, string expected) => Check("networking.istio.io/v1", "VirtualService", spec, expected);

    [Theory]
    [MemberData(nameof(WrongOthers))]
    public void The_other_kinds_are_held_to_their_rules(string kind, string spec, string expected)
        => Check(kind == "Service" ? "v1" : "networking.istio.io/v1beta1", kind, spec, expected);

    [Fact]
    public void Patterns_are_checked_where_a_check_is_at_hand()
    {
        var options = new ConfigReaderOptions { CheckRegex = pattern => pattern == "(" ? "missing )" : null };
        var text = new ConfigReader(options, TimeProvider.System).Read(Yamls.Route("match:\n- uri: {regex: \"(\"}\n  headers: {x: {regex: \"(\"}, y: {regex: a}}"), "f");

        Yamls.Lines(text).ShouldBe(
        [
            "12:20 spec.http[0].match[0].uri.regex is not a regular expression in RE2's syntax: missing )",
            "13:28 spec.http[0].match[0].headers.x.regex is not a regular expression in RE2's syntax: missing )",
        ]);
    }

    [Fact]
    public void Oddities_that_istio_tolerates_are_warned_of()
        => Yamls.Lines(Yamls.Read(Yamls.Route("match:\n- uri: {prefix: api}\n  headers: {Cookie: {exact: a}, method: {exact: GET}}")), ConfigSeverity.Warning).ShouldBe(
        [
            "12:7 spec.http[0].match[0].uri does not begin with \"/\" as every path does, so it never matches.",
            "13:17 spec.http[0].match[0].headers.Cookie header names are written in lower case: \"cookie\".",
            "13:37 spec.http[0].match[0].headers.method \"method\" is no header: Istio ignores it here. Match it by the field method beside headers.",
        ], ignoreOrder: true);

    private static void Check(string apiVersion, string kind, string spec, string expected)
    {
        var text = Yamls.Read($"apiVersion: {apiVersion}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}");

        var lines = text.Diagnostics.Where(d => d.Severity == ConfigSeverity.Error).Select(d => $"{d.Path["spec".Length..].TrimStart('.')} {d.Message}").ToArray();
        var wanted = expected.Split('|', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(wanted.Length, string.Join('\n', lines));
        for (var i = 0; i < wanted.Length; i++)
        {
            lines[i].ShouldStartWith(wanted[i]);
        }

        text.Resources.Count().ShouldBe(wanted.Length == 0 ? 1 : 0);
    }
}
