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
        { "match:\n- headers: {\"@request.auth.claims\": {exact: c}}", "12:17 spec.http[0].match[0].headers[\"@request.auth.claims\"] \"@request.auth.claims\" is not the name of a header." },
        { "match:\n- withoutHeaders: {\"@request.auth.claims.a\": {exact: c}}", "12:24 spec.http[0].match[0].withoutHeaders[\"@request.auth.claims.a\"] claims are matched by gateways only, and this VirtualService is bound to none: bind it to the gateway that verifies the token, or let the service write the claim to a header (outputClaimToHeaders of its RequestAuthentication) that it passes on, and match that." },
        { "match:\n- gateways: [a/b/c]", "12:18 spec.http[0].match[0].gateways[0] \"a/b/c\" is not a gateway: write its name, namespace/name, or mesh." },
        { "headers: {request: {set: {\"a:\": b}}}", "11:37 spec.http[0].headers.request.set[\"a:\"] \"a:\" is not a header that can be changed here." },
        { "headers: {request: {set: {Host: b}, remove: [x-a]}, response: {set: {a: \"%RESPONSE_CODE% of %REQ(:path?x):8% at 100%%\"}, add: {b: \"\\t\"}}}", "" },
        { "headers: {request: {set: {Host: b, \":authority\": c}}}", "11:54 spec.http[0].headers.request.set[\":authority\"] sets the authority, which headers.request.set.Host sets already: keep one." },
        { "headers: {request: {add: {host: b}}}\nrewrite: {authority: c}", "11:37 spec.http[0].headers.request.add.host sets the authority, which rewrite.authority sets already: keep one." },
        { "headers: {request: {set: {\":path\": /a}}}", "11:40 spec.http[0].headers.request.set[\":path\"] \":path\" is not a header that can be changed here." },
        { "headers: {request: {set: {host: \"a b\"}}}", "11:37 spec.http[0].headers.request.set.host \"a b\" is not a host, with or without a port." },
        { "headers: {request: {add: {x: \"a\\r\\nevil: 1\"}}}", "11:34 spec.http[0].headers.request.add.x \"a\\x0d\\x0aevil: 1\" has a line break or another control character, which no header may carry." },
        { "headers: {response: {set: {x: \"50%\"}}}", "11:35 spec.http[0].headers.response.set.x \"50%\" has a % at position 3 that begins no command such as %REQ(name)%: write %% for a percent sign." },
        { "headers: {response: {set: {x: \"%REQ(a%\"}}}", "11:35 spec.http[0].headers.response.set.x \"%REQ(a%\" has a % at position 1 that begins no command such as %REQ(name)%: write %% for a percent sign." },
        { "headers: {response: {set: {x: \"%REQ(a):x%\"}}}", "11:35 spec.http[0].headers.response.set.x \"%REQ(a):x%\" has a % at position 1 that begins no command such as %REQ(name)%: write %% for a percent sign." },
        { "headers: {response: {set: {x: \"%START_TIME%%\"}}}", "11:35 spec.http[0].headers.response.set.x \"%START_TIME%%\" has a % at position 13 that begins no command such as %REQ(name)%: write %% for a percent sign." },
        { "rewrite: {uri: new}", "11:20 spec.http[0].rewrite.uri must begin with \"/\", as every path does." },
        { "rewrite: {uri: \"/a b\"}", "11:20 spec.http[0].rewrite.uri has a space or a control character, which no path may carry: write it percent-encoded." },
        { "rewrite: {authority: \"a/b\"}", "11:26 spec.http[0].rewrite.authority \"a/b\" is not a host, with or without a port." },
        { "rewrite: {uri: /a, uriRegexRewrite: {match: a, rewrite: b}}", "11:5 spec.http[0].rewrite cannot have both uri and uriRegexRewrite: keep one." },
        { "rewrite: {uriRegexRewrite: {match: \"^/a\"}}", "11:15 spec.http[0].rewrite.uriRegexRewrite must have both match and rewrite." },
        { "rewrite: {uriRegexRewrite: {match: \"^/([^)(]+)/(?:a)\\\\((b)$\", rewrite: \"/\\\\2/\\\\1/\\\\0\"}}", "" },
        { "rewrite: {uriRegexRewrite: {match: \"^/(a)\", rewrite: \"/\\\\2\"}}", "11:58 spec.http[0].rewrite.uriRegexRewrite.rewrite names the group 2, but match has 1." },
        { "rewrite: {uriRegexRewrite: {match: \"^/(a)\", rewrite: \"/$1\\\\x\"}}", "11:58 spec.http[0].rewrite.uriRegexRewrite.rewrite has a \\ without the number of a group behind it: write \\1 for the first group, \\\\ for a backslash." },
        { "fault: {abort: {grpcStatus: UNHAPPY, percentage: {value: 1}}}", "11:33 spec.http[0].fault.abort.grpcStatus \"UNHAPPY\" is none of OK, CANCELLED, UNKNOWN, INVALID_ARGUMENT, DEADLINE_EXCEEDED, NOT_FOUND, ALREADY_EXISTS, PERMISSION_DENIED, RESOURCE_EXHAUSTED, FAILED_PRECONDITION, ABORTED, OUT_OF_RANGE, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS, UNAUTHENTICATED." },
        { "fault: {delay: {percent: 101, fixedDelay: 1s}}", "11:30 spec.http[0].fault.delay.percent must be from 0 to 100, not 101." },
        { "corsPolicy: {allowOrigins: [{}, {exact: \"*\"}], allowMethods: [GET, get], allowHeaders: [\"*\", \"a b\"], maxAge: 1.5s}", "11:33 spec.http[0].corsPolicy.allowOrigins[0] must have exact, prefix or regex.|11:72 spec.http[0].corsPolicy.allowMethods[1] \"get\" is none of GET, HEAD, POST, PUT, PATCH, DELETE, CONNECT, OPTIONS, TRACE, *.|11:98 spec.http[0].corsPolicy.allowHeaders[1] \"a b\" is not the name of a header.|11:114 spec.http[0].corsPolicy.maxAge must be whole seconds, at least one." },
        { "match:\n- headers: {a: {prefix: \"\"}}\n  method: {prefix: \"\"}", "13:24 spec.http[0].match[0].method.prefix must not be empty: leave the match empty to ask for presence.|12:29 spec.http[0].match[0].headers.a.prefix must not be empty: leave the match empty to ask for presence." },
        { "match:\n- headers: {\":method\": {exact: GET}}", "" },
        { "headers: {response: {remove: [host]}}", "11:35 spec.http[0].headers.response.remove[0] \"host\" is not a header that can be changed here." },
    };

    public static TheoryData<string, string> WrongSpecs { get; } = new()
    {
        { "{http: [{route: [{destination: {host: a}}]}]}", "" },
        { "{gateways: [mesh], http: [{delegate: {name: a}}], tcp: [{route: [{destination: {host: a}}]}]}", "gateways cannot be given without hosts|tcp cannot be given without hosts|http[0].delegate cannot be given in a delegate" },
        { "{hosts: [a], http: [{delegate: {}}]}", "http[0].delegate.name is required: name the VirtualService that has the routes." },
        { "{hosts: [a], http: [{delegate: {name: b}, redirect: {uri: /a}}]}", "http[0].delegate cannot be given beside redirect: keep one." },
        { "{hosts: [a], http: [{delegate: {name: b}, route: [{destination: {host: a}}]}]}", "http[0].delegate cannot be given beside route: keep one." },
        { "{hosts: [a], http: [{redirect: {uri: /a, prefixRewrite: /b}}]}", "http[0].redirect cannot have both uri and prefixRewrite: keep one." },
        { "{hosts: [a], http: [{match: [{uri: {exact: /x}}], redirect: {prefixRewrite: /b}}]}", "http[0].redirect.prefixRewrite takes the place of a prefix, which match[0].uri is not" },
        { "{hosts: [a], http: [{match: [{uri: {exact: /x}}], redirect: {uri: \"%PREFIX()%/b\"}}]}", "http[0].redirect.uri takes the place of a prefix, which match[0].uri is not" },
        { "{hosts: [a], http: [{match: [{uri: {prefix: /x}}, {method: {exact: GET}}], redirect: {prefixRewrite: /b}}]}", "" },
        { "{hosts: [a], http: [{redirect: {scheme: ftp, port: 70000, authority: \"a b\"}}]}", "http[0].redirect.scheme must be http or https, not \"ftp\".|http[0].redirect.port must be a port from 1 to 65535, not 70000.|http[0].redirect.authority \"a b\" is not a host" },
        { "{hosts: [a], http: [{redirect: {uri: new}}]}", "http[0].redirect.uri must begin with \"/\", as every path does." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 70}, {destination: {host: b}}]}]}", "http[0].route[1] has no weight, although others have one: give it its share, or 0 to send nothing there." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 100}, {destination: {host: b}, weight: 0}]}]}", "" },
        { "{hosts: [a], http: [{route: [{destination: {host: a}}, {destination: {host: b}}]}]}", "http[0].route the weights add up to 0" },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, headers: {request: {set: {\"a b\": c}}}}]}]}", "http[0].route[0].headers.request.set[\"a b\"] \"a b\" is not a header that can be changed here." },
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
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 0}, {destination: {host: b}, weight: 0}]}]}", "http[0].route the weights add up to 0, so no destination could be chosen: give at least one a weight." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: -1}, {destination: {host: b}, weight: 1}]}]}", "http[0].route[0].weight must not be negative, but is -1." },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 0}]}]}", "" },
        { "{hosts: [a], http: [{route: [{destination: {host: a}, weight: 30}, {destination: {host: b}, weight: 30}]}]}", "" },
        { "{hosts: [a], http: [{redirect: {}}]}", "http[0].redirect goes nowhere: give uri, authority, scheme or port." },
        { "{hosts: [a], http: [{redirect: {uri: /a, redirectCode: 200}, fault: {abort: {httpStatus: 500}}}]}", "http[0].fault cannot be given beside redirect.|http[0].redirect.redirectCode must be 301, 302, 303, 307 or 308, not 200." },
        { "{hosts: [a], http: [{retries: {attempts: 1, retryOn: \"5xx,418,419,bogus\"}, route: [{destination: {host: a}}]}]}", "http[0].retries.retryOn \"419\" is neither a status code nor one of|http[0].retries.retryOn \"bogus\" is neither a status code nor one of" },
        { "{hosts: [a], gateways: [g], http: [{match: [{headers: {\"@request.auth.claims.a..b\": {exact: c}}}], route: [{destination: {host: a}}]}]}", "http[0].match[0].headers[\"@request.auth.claims.a..b\"] \"@request.auth.claims.a..b\" names a claim that is empty: write @request.auth.claims[a][b], or @request.auth.claims.a.b." },
        { "{hosts: [a], tcp: [{match: [{destinationSubnets: [10.0.0.0/33]}]}]}", "tcp[0].match[0].destinationSubnets[0] \"10.0.0.0/33\" is neither an IP address nor a CIDR.|tcp[0].route is required: name at least one destination." },
        { "{hosts: [a], tcp: [{match: [{sourceSubnet: here}], route: [{destination: {host: a}}]}]}", "tcp[0].match[0].sourceSubnet \"here\" is neither an IP address nor a CIDR." },
        { "{hosts: [a], tls: [{match: [{sniHosts: [b]}], route: [{destination: {host: a}}]}]}", "tls[0].match[0].sniHosts[0] \"b\" is not within the hosts of the VirtualService (a)." },
    };

    public static TheoryData<string, string, string> WrongOthers { get; } = new()
    {
        { "DestinationRule", "{}", "host is required: name the service that the rule is for." },
        { "DestinationRule", "{host: a, subsets: [{name: v1}, {name: v1}, {}, {name: a_b}]}", "subsets[1].name the subset \"v1\" is given twice, first as subsets[0]: rename or remove one.|subsets[2].name is required: VirtualServices name the subset by it.|subsets[3].name \"a_b\" is not a subset's name: letters, digits and '-', at most 63." },
        { "DestinationRule", "{host: a, subsets: [{name: v1, labels: {\"-\": v1}}]}", "subsets[0].labels.- \"-\" is not a label's key: at most 63 letters, digits, '-', '_' and '.', after an optional domain and '/'." },
        { "DestinationRule", "{host: a, trafficPolicy: {loadBalancer: {consistentHash: {}}, outlierDetection: {maxEjectionPercent: 101}}}", "trafficPolicy.loadBalancer.consistentHash must have httpHeaderName, httpCookie, useSourceIp or httpQueryParameterName.|trafficPolicy.outlierDetection.maxEjectionPercent must be from 0 to 100, not 101." },
        { "DestinationRule", "{host: a, trafficPolicy: {portLevelSettings: [{}, {port: {number: 80}, outlierDetection: {}}, {port: {number: 80}, outlierDetection: {}}]}}", "trafficPolicy.portLevelSettings[0].port is required: name the port by its number.|trafficPolicy.portLevelSettings[2].port.number the port 80 is given twice: keep one." },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: MUTUAL}}}", "trafficPolicy.tls mode MUTUAL needs clientCertificate: name the file, or give credentialName.|trafficPolicy.tls mode MUTUAL needs privateKey: name the file, or give credentialName." },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, clientCertificate: /c, privateKey: /k}}}", "trafficPolicy.tls.clientCertificate is not shown in mode SIMPLE: write MUTUAL, or remove it." },
        { "DestinationRule", "{host: a, trafficPolicy: {portLevelSettings: [{port: {number: 1}, tls: {mode: MUTUAL, credentialName: c, clientCertificate: /c, privateKey: /k, caCertificates: /a, caCrl: /r}}]}}", "trafficPolicy.portLevelSettings[0].tls.clientCertificate cannot be given beside credentialName, whose Secret holds it: keep one.|trafficPolicy.portLevelSettings[0].tls.privateKey cannot be given|trafficPolicy.portLevelSettings[0].tls.caCertificates cannot be given|trafficPolicy.portLevelSettings[0].tls.caCrl cannot be given" },
        { "DestinationRule", "{host: a, subsets: [{name: v1, trafficPolicy: {tls: {mode: ISTIO_MUTUAL, clientCertificate: /c}}}]}", "subsets[0].trafficPolicy.tls.clientCertificate cannot be given with mode ISTIO_MUTUAL, which shows the workload's own certificate: remove it, or write MUTUAL." },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, credentialName: \"configmap://ns/ca\"}}}", "trafficPolicy.tls.credentialName \"configmap://ns/ca\" is not a Secret's name: Secrets are all that credentials are read from here" },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, credentialName: \"kubernetes://ns/ca\"}}}", "" },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, credentialName: A_b}}}", "trafficPolicy.tls.credentialName \"A_b\" is not a Secret's name: lower-case letters, digits, '-' and '.'." },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, insecureSkipVerify: true, caCertificates: /c, subjectAltNames: [x]}}}", "trafficPolicy.tls.caCertificates cannot be given beside insecureSkipVerify, which believes whoever answers: keep one.|trafficPolicy.tls.subjectAltNames cannot be given beside insecureSkipVerify" },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, sni: \"*.b\", subjectAltNames: [\"\"]}}}", "trafficPolicy.tls.sni \"*.b\" is not a server's name: write a DNS name without wildcards.|trafficPolicy.tls.subjectAltNames[0] must not be empty: no certificate has such a name." },
        { "DestinationRule", "{host: a, trafficPolicy: {tls: {mode: SIMPLE, caCrl: /r}}}", "trafficPolicy.tls.caCrl is a list of one authority: name that authority by caCertificates." },
        { "DestinationRule", "{host: a, workloadSelector: {matchLabels: {app: a}}, exportTo: [\"*\"]}", "exportTo a rule with a workloadSelector is for workloads of its own namespace: write \".\" or leave it out." },
        { "DestinationRule", "{host: a, workloadSelector: {matchLabels: {app: a}}, exportTo: [\".\"]}", "" },
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
        { "ServiceEntry", "{hosts: [metadata], ports: [{number: 80, name: http}]}", "hosts[0] invalid host metadata: a name without a dot is completed with each caller's own domain and means another host for each; write it in full (metadata.example.com), or declare a Service." },
        { "ServiceEntry", "{hosts: [metadata.google.internal, 169.254.169.254], ports: [{number: 80, name: http, protocol: HTTP}]}", "" },
        { "ServiceEntry", "{hosts: [\"[www.google.com](http://www.google.com)\", \"<http://www.google.com>\", \"https://www.google.com/\", \"a b.com\"], ports: [{number: 80, name: http, protocol: HTTP}]}", "hosts[0] \"[www.google.com](http://www.google.com)\" is not a host: it is the markup of a link; write www.google.com.|hosts[1] \"<http://www.google.com>\" is not a host: it is the markup of a link; write www.google.com.|hosts[2] \"https://www.google.com/\" is not a host: it is a URL; write www.google.com.|hosts[3] \"a b.com\" is not a host." },
        { "ServiceEntry", "{hosts: [\"*.a.com\"], ports: [{number: 80, name: http}], resolution: DYNAMIC_DNS, endpoints: [{address: 10.0.0.1}]}", "endpoints are not allowed with resolution DYNAMIC_DNS: write resolution STATIC (addresses) or DNS (hosts)." },
        { "Sidecar", "{}", " says nothing: give it egress, ingress, outboundTrafficPolicy or inboundConnectionPool, or remove it." },
        { "Sidecar", "{egress: [{hosts: [\"./*\", \"*/*.example.com\", \"istio-system/*\", \"~/*\", \"shop/reviews.shop.svc.cluster.local\"]}]}", "" },
        { "Sidecar", "{egress: [{}]}", "egress[0].hosts is required: name at least one host as namespace/host; \"~/*\" lets nothing in." },
        { "Sidecar", "{egress: [{hosts: [reviews, ./reviews, A/*, \"./[a.b](http://a.b)\", ./]}]}", "egress[0].hosts[0] \"reviews\" is not namespace/host: write \"./reviews\" for this namespace or \"*/reviews\" for any.|egress[0].hosts[1] \"reviews\" is a short name, which is not completed here: write the full one, such as reviews.default.svc.cluster.local.|egress[0].hosts[2] \"A\" is not a namespace: it is one, \".\" (this one), \"*\" (any) or \"~\" (none).|egress[0].hosts[3] \"[a.b](http://a.b)\" is not a host: it is the markup of a link; write a.b.|egress[0].hosts[4] \"./\" is not namespace/host" },
        { "Sidecar", "{egress: [{hosts: [./*]}, {port: {number: 80, protocol: HTTP, name: a}, hosts: [./*]}, {port: {number: 80, protocol: FTP}, hosts: [./*], bind: here}]}", "egress[0] is for every port, so it must be the only one without a port, and the last: give it a port or move it to the end.|egress[2].port.protocol \"FTP\" is none of|egress[2].bind \"here\" is not an IP address; unix:///path needs a port with number 0.|egress[2].port is that of egress[1], too: put the hosts of both into one entry." },
        { "Sidecar", "{egress: [{port: {number: 0}, hosts: [./*]}, {port: {number: 0}, bind: \"unix:///a\", captureMode: IPTABLES, hosts: [./*]}]}", "egress[0].port.number must be a port from 1 to 65535, not 0; 0 stands beside a bind of unix:///path only.|egress[0].port.protocol is required where a socket of the file system has no port.|egress[1].port.protocol is required where a socket of the file system has no port.|egress[1].captureMode must be DEFAULT or NONE for a socket of the file system." },
        { "Sidecar", "{ingress: [{defaultEndpoint: \"10.0.0.1:80\"}, {port: {number: 80, protocol: HTTP, name: a}, defaultEndpoint: \"127.0.0.1:8080\"}, {port: {number: 80, protocol: HTTP, name: b}, defaultEndpoint: \"unix:///a\"}]}", "ingress[0].port is required.|ingress[0].defaultEndpoint \"10.0.0.1:80\" must be 127.0.0.1:port, 0.0.0.0:port, [::1]:port, [::]:port, unix:///path, or left out.|ingress[2].port is that of ingress[1], too: keep one." },
        { "Sidecar", "{outboundTrafficPolicy: {egressProxy: {host: proxy}}}", "outboundTrafficPolicy.egressProxy takes what is allowed: write mode: ALLOW_ANY beside it.|outboundTrafficPolicy.egressProxy.host \"proxy\" must be a full host name, such as egress.istio-system.svc.cluster.local.|outboundTrafficPolicy.egressProxy.port.number is required: a port from 1 to 65535." },
        { "Sidecar", "{outboundTrafficPolicy: {mode: ALLOW_ANY, egressProxy: {host: egress.example.com, port: {number: 80}}}}", "" },
        { "Sidecar", "{workloadSelector: {labels: {a: \"b c\"}}, inboundConnectionPool: {}}", "workloadSelector.labels.a \"b c\" is not a label's value|inboundConnectionPool sets nothing: give it tcp or http, or remove it." },
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

    public static TheoryData<string, string> WrongPolicies { get; } = new()
    {
        { "{}", " sets nothing: give it loadBalancer, connectionPool, outlierDetection, tls, portLevelSettings or retryBudget, or remove it." },
        { "{tunnel: {targetHost: a, targetPort: 1}, proxyProtocol: {}}", "tunnel cannot be given beside proxyProtocol: keep one." },
        { "{portLevelSettings: [{port: {number: 80}}]}", "portLevelSettings[0] sets nothing for the port: give it loadBalancer, connectionPool, outlierDetection or tls, or remove it." },
        { "{retryBudget: {percent: 101, budgetInterval: 0s}}", "retryBudget.percent must be from 0 to 100, not 101.|retryBudget.budgetInterval must be at least 1ms." },
        { "{retryBudget: {percent: 0, budgetInterval: 10s, minRetryConcurrency: 0}}", "" },

        { "{connectionPool: {}}", "connectionPool sets nothing: give it tcp or http, or remove it." },
        { "{connectionPool: {tcp: {maxConnections: -1, connectTimeout: 0s, maxConnectionDuration: 1us, idleTimeout: 0s}}}", "connectionPool.tcp.maxConnections must not be negative, but is -1.|connectionPool.tcp.connectTimeout must be at least 1ms.|connectionPool.tcp.maxConnectionDuration must be at least 1ms." },
        { "{connectionPool: {tcp: {tcpKeepalive: {time: 500ms, interval: 75s}}}}", "connectionPool.tcp.tcpKeepalive.time must be whole seconds, at least 1s: TCP keep-alive counts seconds." },
        { "{connectionPool: {http: {http1MaxPendingRequests: -1, http2MaxRequests: -2, maxRequestsPerConnection: -3, maxRetries: -4, maxConcurrentStreams: -5}}}", "connectionPool.http.http1MaxPendingRequests must not be negative, but is -1.|connectionPool.http.http2MaxRequests must not be negative, but is -2.|connectionPool.http.maxRequestsPerConnection must not be negative, but is -3.|connectionPool.http.maxRetries must not be negative, but is -4.|connectionPool.http.maxConcurrentStreams must not be negative, but is -5." },
        { "{connectionPool: {http: {useClientProtocol: true, h2UpgradePolicy: UPGRADE}}}", "connectionPool.http.useClientProtocol cannot be true beside h2UpgradePolicy UPGRADE: keep one." },
        { "{connectionPool: {http: {http2KeepAlive: {interval: 0s}}}}", "connectionPool.http.http2KeepAlive.interval must be at least 1ms.|connectionPool.http.http2KeepAlive.timeout is required." },

        { "{outlierDetection: {}}", "" },
        { "{outlierDetection: {interval: 0s, baseEjectionTime: 10us, minHealthPercent: -1}}", "outlierDetection.interval must be at least 1ms.|outlierDetection.baseEjectionTime must be at least 1ms.|outlierDetection.minHealthPercent must be from 0 to 100, not -1." },
        { "{outlierDetection: {consecutiveLocalOriginFailures: 1}}", "outlierDetection.consecutiveLocalOriginFailures needs splitExternalLocalOriginErrors: true, without which local errors count as 5xx." },
        { "{outlierDetection: {splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailures: 1}}", "" },
        { "{outlierDetection: {consecutiveErrors: 1, consecutive5xxErrors: 2}}", "outlierDetection.consecutiveErrors cannot be given beside consecutiveGatewayErrors or consecutive5xxErrors, which took its place: remove it." },
        { "{outlierDetection: {consecutiveErrors: -1}}", "outlierDetection.consecutiveErrors must not be negative, but is -1." },
        { "{outlierDetection: {outlierDetectionHttpErrorCodes: [99, 503, 503]}}", "outlierDetection.outlierDetectionHttpErrorCodes[0] must be a status code from 100 to 599, not 99.|outlierDetection.outlierDetectionHttpErrorCodes[2] 503 is given twice: keep one." },

        { "{loadBalancer: {consistentHash: {httpHeaderName: \"a b\"}}}", "loadBalancer.consistentHash.httpHeaderName \"a b\" is not the name of a header." },
        { "{loadBalancer: {consistentHash: {httpQueryParameterName: \"\"}}}", "loadBalancer.consistentHash.httpQueryParameterName is required." },
        { "{loadBalancer: {consistentHash: {httpCookie: {ttl: -1s, attributes: [{}, {name: SameSite, value: Lax}, {name: samesite}, {name: x, value: \"a;b\"}]}}}}", "loadBalancer.consistentHash.httpCookie.name is required.|loadBalancer.consistentHash.httpCookie.ttl must not be negative; 0s makes a cookie of the session.|loadBalancer.consistentHash.httpCookie.attributes[0].name is required.|loadBalancer.consistentHash.httpCookie.attributes[2].name the attribute \"samesite\" is given twice: keep one.|loadBalancer.consistentHash.httpCookie.attributes[3].value must be of ASCII, without ';' and control characters, which would end the attribute." },
        { "{loadBalancer: {consistentHash: {useSourceIp: true, minimumRingSize: 8388609, ringHash: {}}}}", "loadBalancer.consistentHash.minimumRingSize cannot be given beside ringHash or maglev: move it into ringHash.|loadBalancer.consistentHash.minimumRingSize must be at most 8388608, not 8388609." },
        { "{loadBalancer: {consistentHash: {useSourceIp: true, ringHash: {minimumRingSize: 8388608}}}}", "" },
        { "{loadBalancer: {consistentHash: {useSourceIp: true, maglev: {}}}}", "loadBalancer.consistentHash.maglev.tableSize is required: a prime number, such as 65537." },
        { "{loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 65536}}}}", "loadBalancer.consistentHash.maglev.tableSize must be a prime number below 5000011, not 65536." },
        { "{loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 5000011}}}}", "loadBalancer.consistentHash.maglev.tableSize must be a prime number below 5000011, not 5000011." },
        { "{loadBalancer: {consistentHash: {useSourceIp: true, maglev: {tableSize: 65537}}}}", "" },
        { "{loadBalancer: {warmup: {minimumPercent: 101, aggression: 0}, warmupDurationSecs: 0s}}", "loadBalancer.warmup.duration is required.|loadBalancer.warmup.minimumPercent must be from 0 to 100, not 101.|loadBalancer.warmup.aggression must be greater than 0, not 0.|loadBalancer.warmupDurationSecs must be at least 1ms." },

        { "{loadBalancer: {localityLbSetting: {}, zoneAwareLbSetting: {}}}", "loadBalancer.zoneAwareLbSetting cannot be given beside localityLbSetting: keep one." },
        { "{loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failover: [{from: a, to: b}]}}}", "loadBalancer.localityLbSetting.failover cannot be given beside distribute: keep one." },
        { "{loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 0, c: 101}}]}}}", "loadBalancer.localityLbSetting.distribute[0].to.b must be from 1 to 100, not 0.|loadBalancer.localityLbSetting.distribute[0].to.c must be from 1 to 100, not 101.|loadBalancer.localityLbSetting.distribute[0].to the shares must add up to 100, not 101." },
        { "{loadBalancer: {localityLbSetting: {distribute: [{from: a/b, to: {a: 70, b: 20}}]}}}", "loadBalancer.localityLbSetting.distribute[0].to the shares must add up to 100, not 90." },
        { "{loadBalancer: {localityLbSetting: {distribute: [{from: a/b, to: {a: 100}}, {from: \"a/*\", to: {a: 100}}, {from: a/c, to: {a: 100}}, {from: \"*\", to: {a: 100}}]}}}", "loadBalancer.localityLbSetting.distribute[2].from \"a/c\" overlaps with one before it: remove one." },
        { "{loadBalancer: {localityLbSetting: {distribute: [{from: \"*/b\", to: {a: 100}}, {from: a//b, to: {\"a*\": 100}}]}}}", "loadBalancer.localityLbSetting.distribute[0].from \"*/b\" is not a place:|loadBalancer.localityLbSetting.distribute[1].from \"a//b\" is not a place:|loadBalancer.localityLbSetting.distribute[1].to[\"a*\"] \"a*\" is not a place:" },
        { "{outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: a, to: a}, {from: a/b, to: \"*\"}, {from: \"\", to: c}]}}}", "loadBalancer.localityLbSetting.failover[0].to must be another region than from.|loadBalancer.localityLbSetting.failover[1].from \"a/b\" is not a region:|loadBalancer.localityLbSetting.failover[1].to \"*\" is not a region:|loadBalancer.localityLbSetting.failover[2].from is required: name a region." },
        { "{outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}], failoverPriority: [topology.kubernetes.io/zone, app]}}}", "loadBalancer.localityLbSetting.failoverPriority[0] topology.kubernetes.io/zone cannot be given beside failover, which orders places by itself: keep one." },
        { "{outlierDetection: {}, loadBalancer: {localityLbSetting: {failoverPriority: [app, app=b, \"=c\"]}}}", "loadBalancer.localityLbSetting.failoverPriority[1] the label \"app\" is given twice: keep one.|loadBalancer.localityLbSetting.failoverPriority[2] must be a label's key, or key=value." },
        { "{loadBalancer: {zoneAwareLbSetting: {failoverPriority: [topology.kubernetes.io/region], failover: [{from: a, to: b/c}]}}}", "loadBalancer.zoneAwareLbSetting.failoverPriority[0] topology.kubernetes.io/region is what zone-aware routing goes by anyway: remove it.|loadBalancer.zoneAwareLbSetting.failover[0].to \"b/c\" is not a region:" },
    };

    public static TheoryData<string, string> OddPolicies { get; } = new()
    {
        { "{loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}]}}}", "loadBalancer.localityLbSetting.failover needs outlierDetection in the same policy" },
        { "{loadBalancer: {localityLbSetting: {failoverPriority: [app]}}}", "loadBalancer.localityLbSetting.failoverPriority needs outlierDetection in the same policy" },
        { "{loadBalancer: {localityLbSetting: {distribute: [{from: a, to: {b: 100}}], failoverPriority: [app]}}}", "loadBalancer.localityLbSetting.failoverPriority is not used beside distribute." },
        { "{outlierDetection: {}, loadBalancer: {localityLbSetting: {failover: [{from: a, to: b}, {from: a, to: c}]}}}", "loadBalancer.localityLbSetting.failover[1] is never used: an earlier entry is for a already" },
        { "{loadBalancer: {warmup: {duration: 1s}, warmupDurationSecs: 1s}}", "loadBalancer.warmupDurationSecs is not used beside warmup" },
        { "{loadBalancer: {simple: RANDOM, warmup: {duration: 1s}}}", "loadBalancer.warmup accepted, but without effect: only ROUND_ROBIN and LEAST_REQUEST" },
        { "{loadBalancer: {consistentHash: {useSourceIp: true}, warmupDurationSecs: 1s}}", "loadBalancer.warmupDurationSecs accepted, but without effect" },
        { "{outlierDetection: {consecutiveErrors: 1}}", "outlierDetection.consecutiveErrors is deprecated by Istio." },
        { "{tunnel: {targetHost: a, targetPort: 1}}", "tunnel accepted, but not yet applied by this version." },
        { "{proxyProtocol: {}}", "proxyProtocol accepted, but not yet applied by this version." },
        { "{tls: {mode: SIMPLE, sni: a, caCertificates: system, subjectAltNames: [a]}}", "" },
        { "{tls: {mode: MUTUAL, clientCertificate: /c, privateKey: /k, caCertificates: /a}}", "" },
        { "{tls: {mode: ISTIO_MUTUAL}}", "" },
        { "{tls: {mode: ISTIO_MUTUAL, insecureSkipVerify: true}}", "tls.insecureSkipVerify accepted, but without effect with mode ISTIO_MUTUAL" },
        { "{tls: {mode: DISABLE, caCertificates: /a}}", "tls.caCertificates is not used, since mode is DISABLE: write SIMPLE or MUTUAL, or remove it." },
        { "{tls: {mode: SIMPLE, insecureSkipVerify: true}}", "tls.insecureSkipVerify lets whoever answers take the host's place: name its authority by caCertificates or credentialName instead." },
        { "{outlierDetection: {}, connectionPool: {tcp: {maxConnections: 1}}, retryBudget: {}, loadBalancer: {simple: PASSTHROUGH, localityLbSetting: {enabled: true}}}", "" },
    };

    [Theory]
    [MemberData(nameof(WrongPolicies))]
    public void A_traffic_policy_is_held_to_istios_rules(string policy, string expected)
        => Check(
            "networking.istio.io/v1",
            "DestinationRule",
            $"{{host: a, trafficPolicy: {policy}}}",
            string.Join('|', expected.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(line => line[0] == ' ' ? $"trafficPolicy{line}" : $"trafficPolicy.{line}")));

    [Theory]
    [MemberData(nameof(OddPolicies))]
    public void What_a_traffic_policy_says_without_effect_is_warned_of(string policy, string expected)
    {
        var text = Yamls.Read($"apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: a}}\nspec: {{host: a, subsets: [{{name: v1, trafficPolicy: {policy}}}]}}");

        text.Diagnostics.ShouldAllBe(found => found.Severity == ConfigSeverity.Warning);
        var warnings = text.Diagnostics.Select(found => $"{found.Path} {found.Message}").ToArray();
        warnings.Length.ShouldBe(expected.Length == 0 ? 0 : 1, string.Join('\n', warnings));
        warnings.ShouldAllBe(warning => warning.StartsWith($"spec.subsets[0].trafficPolicy.{expected}", StringComparison.Ordinal));
    }

    [Fact]
    public void A_subset_fails_over_by_the_outlier_detection_of_its_rule()
        => Yamls.Read("""
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: a}
            spec: {host: a, trafficPolicy: {outlierDetection: {}}, subsets: [{name: v1, trafficPolicy: {loadBalancer: {localityLbSetting: {failoverPriority: [app]}}}}]}
            """).Diagnostics.ShouldBeEmpty();

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

    [Fact]
    public void Claims_that_are_matched_for_the_mesh_too_are_warned_of()
        => Yamls.Read(Yamls.Head + """
              hosts: [a]
              gateways: [mesh, g]
              http:
              - match:
                - headers: {"@request.auth.claims[Sub]": {exact: a}}
                - headers: {"@request.auth.claims[sub]": {exact: a}}
                  gateways: [g]
                route: [{destination: {host: a}}]
            """.Replace("\r", "", StringComparison.Ordinal)).Diagnostics.Where(found => !found.Message.Contains("not yet applied", StringComparison.Ordinal)).Select(found => $"{found.Severity} {found.Path} {found.Message}").ShouldBe(
            [
                "Warning spec.http[0].match[0].headers[\"@request.auth.claims[Sub]\"] never matches for the gateway mesh, where no token is verified: "
                + "name the other gateways in http[0].match[0].gateways, or leave mesh to another VirtualService.",
            ]);

    [Fact]
    public void What_can_never_happen_is_warned_of()
        => Yamls.Lines(Yamls.Read(Yamls.Route("timeout: 1s\nretries: {attempts: 1, perTryTimeout: 1s}\nfault: {delay: {fixedDelay: 1s}, abort: {httpStatus: 500}}\nheaders: {request: {set: {x: \"\"}}}")), ConfigSeverity.Warning).ShouldBe(
        [
            "14:34 spec.http[0].headers.request.set.x is empty: a header without a value is not sent, so this changes nothing.",
            "12:43 spec.http[0].retries.perTryTimeout is no shorter than the timeout of the route, so it never ends a try.",
            "13:13 spec.http[0].fault.delay has no percentage, so no request is delayed.",
            "13:38 spec.http[0].fault.abort has no percentage, so no request is aborted.",
        ]);

    [Theory]
    [InlineData("redirect: {uri: /a}")]
    [InlineData("directResponse: {status: 200}")]
    public void What_a_local_answer_has_no_use_for_is_warned_of(string action)
        => Yamls.Read(Yamls.Head + $"  hosts: [reviews]\n  http:\n  - {action}\n    timeout: 1s\n    retries: {{attempts: 1}}\n    mirror: {{host: a}}\n")
            .Diagnostics.Select(found => $"{found.Severity} {found.Line} {found.Path}").ShouldBe(
            [
                "Warning 9 spec.http[0].timeout",
                "Warning 10 spec.http[0].retries",
                "Warning 11 spec.http[0].mirror",
            ]);

    [Fact]
    public void All_that_a_virtual_service_says_of_other_connections_is_applied()
        => Yamls.Read(Yamls.Head + """
              hosts: [a]
              tcp:
              - match: [{port: 1, destinationSubnets: [10.0.0.0/8], sourceSubnet: 10.1.0.0/16, sourceLabels: {a: b}, sourceNamespace: c, gateways: [mesh]}]
                route: [{destination: {host: a, subset: b, port: {number: 2}}, weight: 1}]
              tls:
              - match: [{port: 1, sniHosts: [a], destinationSubnets: [10.0.0.0/8], sourceLabels: {a: b}, sourceNamespace: c, gateways: [mesh]}]
                route: [{destination: {host: a}}]
            """.Replace("\r", "", StringComparison.Ordinal)).Diagnostics.ShouldBeEmpty();

    [Fact]
    public void All_that_a_virtual_service_says_of_http_is_applied()
        => Yamls.Read(Yamls.Route("""
            timeout: 2s
            retries: {attempts: 1, perTryTimeout: 1s, retryOn: "5xx,503", retryRemoteLocalities: true, retryIgnorePreviousHosts: true, backoff: 25ms}
            fault: {delay: {percentage: {value: 1}, fixedDelay: 1s}, abort: {percentage: {value: 1}, grpcStatus: ABORTED}}
            mirrors: [{destination: {host: a, subset: b, port: {number: 1}}, percentage: {value: 1}}]
            mirrorPercentage: {value: 1}
            rewrite: {uri: /a, authority: b}
            headers: {request: {set: {a: b}, add: {c: d}, remove: [e]}, response: {set: {a: b}, add: {c: d}, remove: [e]}}
            corsPolicy: {allowOrigins: [{regex: a}], allowMethods: [GET], allowHeaders: [a], exposeHeaders: [b], maxAge: 1s, allowCredentials: true, unmatchedPreflights: FORWARD}
            """.Replace("\r", "", StringComparison.Ordinal))).Diagnostics.ShouldBeEmpty();

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
