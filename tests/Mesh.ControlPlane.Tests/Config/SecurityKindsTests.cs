using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Tests.Reading;

public class SecurityKindsTests
{
    private const string Keys = """{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}""";

    public static TheoryData<string, string, string> Wrong { get; } = new()
    {
        { "PeerAuthentication", "{}", "" },
        { "PeerAuthentication", "{mtls: {mode: STRICT}}", "" },
        { "PeerAuthentication", "{selector: {matchLabels: {app: a}}, portLevelMtls: {8080: {mode: DISABLE}, \"8081\": {mode: UNSET}}}", "" },
        { "PeerAuthentication", "{portLevelMtls: {8080: {mode: DISABLE}}}", "portLevelMtls mesh/namespace peer authentication cannot have port level mTLS" },
        { "PeerAuthentication", "{selector: {matchLabels: {app: a}}, portLevelMtls: {}}", "portLevelMtls port level mTLS, if defined, must have at least one element." },
        { "PeerAuthentication", "{selector: {matchLabels: {app: a}}, portLevelMtls: {0: {}, 70000: {}}}", "portLevelMtls.0 port must be in range 1 to 65535.|portLevelMtls.70000 port must be in range 1 to 65535." },
        { "PeerAuthentication", "{selector: {matchLabels: {app: a}}, portLevelMtls: {http: {}}}", "portLevelMtls.http must be a whole number, not the string \"http\"." },
        { "PeerAuthentication", "{selector: {matchLabels: {app: \"a*\"}}}", "selector.matchLabels.app wildcard is not supported in selector: \"app=a*\"." },
        { "PeerAuthentication", "{mtls: {mode: MAYBE}}", "mtls.mode must be one of UNSET, DISABLE, PERMISSIVE, STRICT, not the string \"MAYBE\"." },

        { "RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: \"https://a/keys\"}]}", "" },
        { "RequestAuthentication", "{jwtRules: [{}]}", "jwtRules[0] issuer or jwksUri must be non-empty string." },
        { "RequestAuthentication", "{jwtRules: [{issuer: a}]}", "jwtRules[0] has no keys: give jwks or jwksUri; where \"a\" publishes them cannot be looked up" },
        { "RequestAuthentication", "{jwtRules: [{issuer: \"https://login.example\"}]}", "" },
        { "RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: \"ftp://a/keys\"}, {issuer: a, jwksUri: keys}]}", "jwtRules[0].jwksUri URI scheme \"ftp\" is not supported|jwtRules[1].jwksUri \"keys\" is not a URI with a host" },
        { "RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: \"https://me:secret@a/keys\"}]}", "jwtRules[0].jwksUri a user and password in the URI would be sent to nobody" },
        { "RequestAuthentication", "{jwtRules: [{issuer: a, jwks: \"{}\"}]}", "jwtRules[0].jwks jwks parse error: Jwks does not have [keys] field." },
        { "RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: \"http://a\", audiences: [\"\"], fromHeaders: [{}, {name: \"a b\"}], fromParams: [\"\"], fromCookies: [\"\"]}]}", "jwtRules[0].audiences[0] audience must be non-empty string.|jwtRules[0].fromHeaders[0].name location header name must be non-empty string.|jwtRules[0].fromHeaders[1].name \"a b\" is not the name of a header.|jwtRules[0].fromParams[0] location query must be non-empty string.|jwtRules[0].fromCookies[0] cookie name must be non-empty string." },
        { "RequestAuthentication", "{jwtRules: [{issuer: a, jwksUri: \"http://a\", outputClaimToHeaders: [{claim: a}, {claim: a, header: \"x y\"}], timeout: 0s}]}", "jwtRules[0].outputClaimToHeaders[0] outputClaimToHeaders header and claim value must be non-empty string.|jwtRules[0].outputClaimToHeaders[1].header header name x y is not a valid header name.|jwtRules[0].timeout must be at least 1ms." },
        { "RequestAuthentication", "{selector: {matchLabels: {app: a}}, targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g}]}", " only one of targetRefs or workloadSelector can be set" },
        { "RequestAuthentication", "{targetRef: {kind: Pod}}", "targetRef.name targetRef name must be set.|targetRef targetRef must be to one of Service, networking.istio.io/ServiceEntry, gateway.networking.k8s.io/Gateway, gateway.networking.k8s.io/GatewayClass but was \"/Pod\"." },
        { "RequestAuthentication", "{targetRefs: [{kind: Gateway, group: gateway.networking.k8s.io, name: g, namespace: b}]}", "targetRefs[0].namespace targetRef namespace must not be set; cross namespace referencing is not supported." },

        { "AuthorizationPolicy", "{}", "" },
        { "AuthorizationPolicy", "{rules: [{}]}", "" },
        { "AuthorizationPolicy", "{action: DENY}", "rules DENY action without `rules` is meaningless as it will never be triggered, add an empty rule `{}` if you want it be triggered for every request." },
        { "AuthorizationPolicy", "{action: CUSTOM}", "rules CUSTOM action without `rules` is meaningless as it will never be triggered" },
        { "AuthorizationPolicy", "{action: CUSTOM, rules: [{}]}", "provider.name `provider.name` must not be empty" },
        { "AuthorizationPolicy", "{provider: {name: a}}", "provider `provider` must not be with non CUSTOM action, found ALLOW." },
        { "AuthorizationPolicy", "{action: CUSTOM, provider: {name: a}, rules: [{from: [{source: {namespaces: [a]}}], when: [{key: \"request.auth.claims[a]\", values: [a]}, {key: source.principal, values: [a]}]}]}", "rules[0].from[0].source.namespaces From.Namespaces is currently not supported with CUSTOM action.|rules[0].when[0].key \"request.auth.claims[a]\" is currently not supported with CUSTOM action.|rules[0].when[1].key \"source.principal\" is currently not supported with CUSTOM action." },
        { "AuthorizationPolicy", "{rules: [{from: [], to: []}]}", "rules[0].from `from` must not be empty|rules[0].to `to` must not be empty" },
        { "AuthorizationPolicy", "{rules: [{from: [{}], to: [{}]}]}", "rules[0].from[0] `from.source` must not be nil|rules[0].to[0] `to.operation` must not be nil" },
        { "AuthorizationPolicy", "{rules: [{from: [{source: {}}], to: [{operation: {}}]}]}", "rules[0].from[0].source `from.source` must not be empty|rules[0].to[0].operation `to.operation` must not be empty" },
        { "AuthorizationPolicy", "{rules: [{from: [{source: {principals: [\"\"], ipBlocks: [10.0.0.0/33, \"10.1\", \"::1/129\", 010.0.0.1, \"::1\"]}}]}]}", "rules[0].from[0].source.principals[0] empty value not allowed, found in principals.|rules[0].from[0].source.ipBlocks[0] bad CIDR range (10.0.0.0/33)|rules[0].from[0].source.ipBlocks[1] bad IP address (10.1)|rules[0].from[0].source.ipBlocks[2] bad CIDR range (::1/129)|rules[0].from[0].source.ipBlocks[3] bad IP address (010.0.0.1)" },
        { "AuthorizationPolicy", "{rules: [{from: [{source: {serviceAccounts: [a/b/c, \"a*\", /a, ok, n/ok], namespaces: [a]}}]}]}", "rules[0].from[0].source cannot set serviceAccounts with namespaces or principals|rules[0].from[0].source.serviceAccounts[0] expected format 'serviceAccount' or 'namespace/serviceAccount', found \"a/b/c\".|rules[0].from[0].source.serviceAccounts[1] wildcard not allowed, found in serviceAccounts.|rules[0].from[0].source.serviceAccounts[2] expected format" },
        { "AuthorizationPolicy", "{rules: [{from: [{source: {trustDomains: [\"a*b\", \"*a*\", a/b, \"*\"]}}]}]}", "rules[0].from[0].source.trustDomains[0] wildcard is only allowed at the start or end, found in trustDomains: \"a*b\".|rules[0].from[0].source.trustDomains[1] at most one wildcard is allowed, found in trustDomains: \"*a*\".|rules[0].from[0].source.trustDomains[2] trust domain must not contain '/', found in trustDomains: \"a/b\"." },
        { "AuthorizationPolicy", "{rules: [{to: [{operation: {ports: [\"http\", \"70000\", \"80\"]}}]}]}", "rules[0].to[0].operation.ports[0] bad port (http)|rules[0].to[0].operation.ports[1] bad port (70000)" },
        { "AuthorizationPolicy", "{rules: [{to: [{operation: {paths: [\"/a/{*}/b/{**}\", \"/a/{**}/b\", \"/{**}/{*}\", \"/a{*}\", \"/{a}\", \"/a*/{*}\"]}}]}]}", "rules[0].to[0].operation.paths[2] invalid or unsupported path \"/{**}/{*}\". {**} is not the last operator.|rules[0].to[0].operation.paths[3] invalid or unsupported path \"/a{*}\". Contains '{' or '}' beyond a supported path template|rules[0].to[0].operation.paths[4] invalid or unsupported path \"/{a}\". Contains '{' or '}'|rules[0].to[0].operation.paths[5] invalid or unsupported path \"/a*/{*}\". Contains segment a* with invalid string literal" },
        { "AuthorizationPolicy", "{rules: [{when: [{key: a, values: [b]}, {key: \"\", values: [b]}, {key: source.ip}, {key: destination.namespace, values: [a]}, {key: \"request.headers[]\", values: [a]}, {key: \"request.auth.claims[a][b]\", values: [a]}, {key: destination.port, notValues: [x]}]}]}", "rules[0].when[0].key unknown attribute: a: known are|rules[0].when[1].key `key` must not be empty.|rules[0].when[2] at least one of `values` or `notValues` must be set for key \"source.ip\".|rules[0].when[3].key attribute destination.namespace is replaced by the metadata.namespace.|rules[0].when[4].key bad key (request.headers[]): should have format a[b].|rules[0].when[6].notValues[0] bad port (x)" },
        { "AuthorizationPolicy", "{rules: [{when: [{key: \"experimental.envoy.filters.a.b[c]\", values: [a]}, {key: \"experimental.envoy.filters.a\", values: [a]}, {key: \"request.headers[x-a]\", values: [a]}]}]}", "rules[0].when[1].key bad key (experimental.envoy.filters.a): should have format a[b]." },
    };

    [Theory]
    [MemberData(nameof(Wrong))]
    public void A_security_kind_is_held_to_istios_rules(string kind, string spec, string expected)
    {
        var lines = Read(kind, spec).Diagnostics.Where(found => found.Severity == ConfigSeverity.Error).Select(found => $"{found.Path} {found.Message}").ToArray();
        var wanted = expected.Split('|', StringSplitOptions.RemoveEmptyEntries).Select(line => line[0] == ' ' ? $"spec{line}" : $"spec.{line}").ToArray();

        lines.Length.ShouldBe(wanted.Length, string.Join('\n', lines));
        foreach (var (line, start) in lines.Zip(wanted))
        {
            line.ShouldStartWith(start);
        }
    }

    [Theory]
    [InlineData("PeerAuthentication", "{selector: {}}", "spec.selector workload selector specified without labels")]
    [InlineData("AuthorizationPolicy", "{targetRefs: [{kind: Service, name: a}]}", "spec.targetRefs[0] accepted, but without effect: policies of a Service are for waypoints")]
    [InlineData("AuthorizationPolicy", "{action: DENY, rules: [{to: [{operation: {methods: [GET]}}]}]}", "spec.rules[0] configured AuthorizationPolicy will deny all traffic to TCP ports under its scope")]
    [InlineData("AuthorizationPolicy", "{action: DENY, rules: [{from: [{source: {requestPrincipals: [a]}}]}]}", "spec.rules[0] configured AuthorizationPolicy will deny all traffic to TCP ports under its scope")]
    [InlineData("AuthorizationPolicy", "{action: DENY, rules: [{from: [{source: {requestPrincipals: [a]}}], to: [{operation: {ports: [\"80\"]}}]}]}", "")]
    [InlineData("RequestAuthentication", "{jwtRules: [{issuer: a, jwks: 'PRIVATE'}]}", "spec.jwtRules[0].jwks jwks key at index 0 contains private key material")]
    public void What_is_odd_about_a_policy_is_warned_of(string kind, string spec, string expected)
    {
        var text = Read(kind, spec.Replace("PRIVATE", Keys.Replace("\"kty\"", "\"d\":\"x\",\"kty\"", StringComparison.Ordinal), StringComparison.Ordinal));

        text.Resources.Count().ShouldBe(1);
        text.Diagnostics.ShouldAllBe(found => found.Severity == ConfigSeverity.Warning);
        var warnings = text.Diagnostics.Select(found => $"{found.Path} {found.Message}").ToArray();
        warnings.Length.ShouldBe(expected.Length == 0 ? 0 : 1, string.Join('\n', warnings));
        warnings.ShouldAllBe(warning => warning.StartsWith(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("v1")]
    [InlineData("v1beta1")]
    public void Every_field_is_read(string version)
    {
        var rule = ((RequestAuthentication)Read("RequestAuthentication", $$$"""
            {selector: {matchLabels: {app: a}}, jwtRules: [{issuer: i, audiences: [a], jwks: '{{{Keys}}}', fromHeaders: [{name: x, prefix: "Token "}], fromParams: [p],
            fromCookies: [c], outputPayloadToHeader: o, forwardOriginalToken: true, outputClaimToHeaders: [{header: h, claim: c.d}], timeout: 3s, spaceDelimitedClaims: [roles]}]}
            """, version).Resources.Single().Spec).JwtRules.Single();

        rule.ShouldSatisfyAllConditions(
            () => rule.Issuer.ShouldBe("i"),
            () => rule.FromHeaders.Single().Prefix.ShouldBe("Token "),
            () => rule.FromCookies.ShouldBe(["c"]),
            () => rule.ForwardOriginalToken.ShouldBeTrue(),
            () => rule.OutputClaimToHeaders.Single().Claim.ShouldBe("c.d"),
            () => rule.Timeout.Seconds.ShouldBe(3),
            () => rule.SpaceDelimitedClaims.ShouldBe(["roles"]));
        ((PeerAuthentication)Read("PeerAuthentication", "{selector: {matchLabels: {app: a}}, portLevelMtls: {8080: {mode: STRICT}}}", version).Resources.Single().Spec)
            .PortLevelMtls[8080].Mode.ShouldBe(PeerAuthentication.Types.MutualTLS.Types.Mode.Strict);
    }

    [Fact]
    [Trait("Lab", "P14")]
    public void Of_a_key_that_is_given_twice_the_last_counts_and_the_author_is_told()
    {
        var text = Yamls.Read("""
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata:
              name: allow-web-frontend-customers
            spec:
              action: ALLOW
              rules:
              - from:
                - source:
                    namespaces: ["default"]
                  source:
                    principals: ["cluster.local/ns/default/sa/web-frontend"]
            """);

        var source = ((AuthorizationPolicy)text.Resources.Single().Spec).Rules[0].From.ShouldHaveSingleItem().Source;
        source.Namespaces.ShouldBeEmpty();
        source.Principals.ShouldBe(["cluster.local/ns/default/sa/web-frontend"]);
        Yamls.Lines(text, ConfigSeverity.Warning).ShouldBe(["11:7  the key \"source\" is given twice, first in line 9: the last one counts, the others are dropped; keep one."]);
    }

    private static ConfigText Read(string kind, string spec, string version = "v1")
        => Yamls.Read($"apiVersion: security.istio.io/{version}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec.ReplaceLineEndings(" ")}\n");
}
