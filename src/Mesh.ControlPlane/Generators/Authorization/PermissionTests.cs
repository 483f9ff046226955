using Envoy.Config.Core.V3;
using Envoy.Config.Rbac.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Envoy.Type.Matcher.V3;
using Google.Protobuf.WellKnownTypes;
using Istio.Security.V1Beta1;
using Mesh.ControlPlane.Model.Policies;

namespace Mesh.ControlPlane.Generators.Authorization;

/// <summary>What is done: operations, and the conditions that ask about where it is done.</summary>
/// <param name="port">The port that the policy is enforced at.</param>
/// <param name="isHttp">Whether there are requests, and not connections only.</param>
internal sealed class PermissionTests(LocalPort port, bool isHttp)
{
    public static Permission Any { get; } = new() { Any = true };

    public static Permission And(IEnumerable<Permission> rules) => new() { AndRules = new Permission.Types.Set { Rules = { rules } } };

    public static Permission Not(Permission rule) => new() { NotRule = rule };

    /// <summary>In Istio's order.</summary>
    public IEnumerable<RuleTest<Permission>> Of(Operation operation)
    {
        yield return Test(operation.Hosts, operation.NotHosts, host => Header(StringMatchers.Header(":authority", host, ignoreCase: true)));
        yield return Test(operation.Methods, operation.NotMethods, method => Header(StringMatchers.Header(":method", method)));
        yield return Test(operation.Paths, operation.NotPaths, Path);
        yield return Test(operation.Ports, operation.NotPorts, Port);
    }

    /// <returns><see langword="null"/> for a condition that asks who it is.</returns>
    public RuleTest<Permission>? Of(Condition condition) => condition.Key switch
    {
        AuthorizationKeys.DestinationIp => Test(condition.Values, condition.NotValues, value => new Permission { DestinationIp = AddressRange(value) }),
        AuthorizationKeys.DestinationPort => Test(condition.Values, condition.NotValues, Port),
        AuthorizationKeys.ConnectionSni => Test(condition.Values, condition.NotValues, value => new Permission { RequestedServerName = StringMatchers.Of(value) }),
        _ when AuthorizationKeys.FilterAndKey(condition.Key) is { } key => new(
            condition.Values,
            condition.NotValues,
            values => Metadata(MetadataMatchers.Of(key.Filter, [key.Key], MetadataMatchers.AnyOf([.. values.Select(MetadataMatchers.StringOrList)]))),
            Not),
        _ => null,
    };

    /// <summary>An address or a range of addresses as it is written.</summary>
    public static CidrRange AddressRange(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var address = System.Net.IPAddress.Parse(slash < 0 ? text : text[..slash]);
        var length = slash < 0 ? (uint)address.GetAddressBytes().Length * 8 : uint.Parse(text.AsSpan(slash + 1), System.Globalization.CultureInfo.InvariantCulture);
        return new CidrRange { AddressPrefix = address.ToString(), PrefixLen = length };
    }

    private RuleTest<Permission> Test(IReadOnlyList<string> values, IReadOnlyList<string> notValues, Func<string, Permission?> of)
        => new(
            values,
            notValues,
            all =>
            {
                var rules = all.Select(of).OfType<Permission>().ToArray();
                return rules.Length == 0 ? null : new Permission { OrRules = new Permission.Types.Set { Rules = { rules } } };
            },
            Not);

    private Permission Port(string value) => new() { DestinationPort = port.Translate(value) };

    private Permission? Header(HeaderMatcher header) => isHttp ? new Permission { Header = header } : null;

    private Permission? Path(string path)
        => !isHttp
            ? null
            : PathTemplates.IsTemplate(path)
                ? new Permission
                {
                    UriTemplate = new TypedExtensionConfig
                    {
                        Name = "uri-template",
                        TypedConfig = Google.Protobuf.WellKnownTypes.Any.Pack(new UriTemplateMatchConfig { PathTemplate = PathTemplates.ToEnvoy(path) }),
                    },
                }
                : new Permission { UrlPath = new PathMatcher { Path = StringMatchers.Of(path) } };

#pragma warning disable CS0612 // Istio says metadata in the older field, which every Envoy and gRPC reads.
    private static Permission Metadata(MetadataMatcher metadata) => new() { Metadata = metadata };
#pragma warning restore CS0612
}
