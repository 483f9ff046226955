using System.Globalization;
using Mesh.TestNet;

namespace Mesh.EndToEnd.Tests.OutsideServices;

/// <summary>One of the four states of the rules in which the labs fetch seven URLs.</summary>
/// <param name="Name">What the rules are about.</param>
/// <param name="Documents">The rules; none to begin with.</param>
/// <param name="Outcomes">For each URL in the order of the lab, what the lab printed and what is printed here.</param>
internal sealed record EgressState(string Name, string Documents, IReadOnlyList<(string Url, string Lab, string Here)> Outcomes)
{
    private const string Reset = "ECONNRESET";
    private const string NoTls = "TLS never established";
    private const string WrongVersion = "EPROTO wrong version";
    private const string Refused = "HttpRequestException";

    private static readonly string Http = OutsideNet.LocalPort(80).ToString(CultureInfo.InvariantCulture);
    private static readonly string Https = OutsideNet.LocalPort(443).ToString(CultureInfo.InvariantCulture);

    public static IReadOnlyList<EgressState> All { get; } =
    [
        new(
            "no rules",
            "",
            [
                ("https://www.google.com/robots.txt", NoTls, Refused),
                ("http://www.google.com:443/robots.txt", Reset, "502"),
                ("http://www.bbc.com/robots.txt", "404", "502"),
                ("https://www.cornell.edu/robots.txt", Reset, Refused),
                ("https://www.uwo.ca/robots.txt", NoTls, Refused),
                ("https://www.yahoo.com/robots.txt", NoTls, Refused),
                ("http://www.yahoo.com:443/robots.txt", Reset, "502"),
            ]),
        new(
            "ServiceEntries",
            $$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: bbc-ext}
            spec:
              hosts: [www.bbc.com]
              ports: [{number: 80, name: http, protocol: HTTP, targetPort: {{Http}} }]
              resolution: DNS
              location: MESH_EXTERNAL
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: google-ext}
            spec:
              hosts: [www.google.com]
              ports: [{number: 443, name: https, protocol: HTTPS, targetPort: {{Https}} }]
              resolution: DNS
              location: MESH_EXTERNAL
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata: {name: google-ext}
            spec:
              hosts: [www.google.com]
              tls:
              - match:
                - port: 443
                  sni_hosts: [www.google.com]
                route:
                - destination: {host: www.google.com, port: {number: 443} }
                  weight: 100
            """,
            [
                ("https://www.google.com/robots.txt", "200", "200"),
                ("http://www.google.com:443/robots.txt", Reset, "503"),
                ("http://www.bbc.com/robots.txt", "200", "200"),
                ("https://www.cornell.edu/robots.txt", Reset, Refused),
                ("https://www.uwo.ca/robots.txt", Reset, Refused),
                ("https://www.yahoo.com/robots.txt", Reset, Refused),
                ("http://www.yahoo.com:443/robots.txt", Reset, "502"),
            ]),
        new(
            "egress gateway",
            $$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: yahoo-ext}
            spec:
              hosts: [www.yahoo.com]
              ports: [{number: 443, name: tls, protocol: TLS, targetPort: {{Https}} }]
              resolution: DNS
              location: MESH_EXTERNAL
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata: {name: yahoo-ext}
            spec:
              hosts: [www.yahoo.com]
              gateways: [mesh]
              tls:
              - match:
                - port: 443
                  sniHosts: [www.yahoo.com]
                route:
                - destination: {host: istio-egressgateway, port: {number: 443} }
            """,
            [
                ("https://www.google.com/robots.txt", Reset, Refused),
                ("http://www.google.com:443/robots.txt", Reset, "502"),
                ("http://www.bbc.com/robots.txt", "404", "502"),
                ("https://www.cornell.edu/robots.txt", Reset, Refused),
                ("https://www.uwo.ca/robots.txt", Reset, Refused),
                ("https://www.yahoo.com/robots.txt", "200", "200"),
                ("http://www.yahoo.com:443/robots.txt", Reset, "503"),
            ]),
        new(
            "TLS origination",
            $$"""
            apiVersion: networking.istio.io/v1alpha3
            kind: ServiceEntry
            metadata: {name: yahoo-ext}
            spec:
              hosts: [www.yahoo.com]
              ports:
              - {number: 80, name: http-port, protocol: HTTP, targetPort: {{Http}} }
              - {number: 443, name: http-port-for-tls-origination, protocol: HTTP, targetPort: {{Https}} }
              resolution: DNS
              location: MESH_EXTERNAL
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: VirtualService
            metadata: {name: yahoo-ext}
            spec:
              hosts: [www.yahoo.com]
              http:
              - match: [{port: 80}]
                route: [{destination: {host: www.yahoo.com, port: {number: 443} } }]
              - match: [{port: 443}]
                route: [{destination: {host: www.yahoo.com, port: {number: 443} } }]
            ---
            apiVersion: networking.istio.io/v1alpha3
            kind: DestinationRule
            metadata: {name: yahoo-ext}
            spec:
              host: www.yahoo.com
              trafficPolicy:
                portLevelSettings:
                - port: {number: 443}
                  tls: {mode: SIMPLE}
            """,
            [
                ("https://www.google.com/robots.txt", WrongVersion, Refused),
                ("http://www.google.com:443/robots.txt", "404", "502"),
                ("http://www.bbc.com/robots.txt", "404", "502"),
                ("https://www.cornell.edu/robots.txt", WrongVersion, Refused),
                ("https://www.uwo.ca/robots.txt", WrongVersion, Refused),
                ("https://www.yahoo.com/robots.txt", WrongVersion, "200"),
                ("http://www.yahoo.com:443/robots.txt", "502", "200"),
            ]),
    ];
}
