using Google.Protobuf;
using Google.Protobuf.Reflection;
using Mesh.Xds.Client;
using Mesh.Xds.Validation;

namespace Mesh.DataPlane.Resources;

/// <summary>Reads messages as they arrive: parsed, held to the published rules, and asked what they carry beyond what this data plane knows.</summary>
internal static class WireMessage
{
    private const int MaxNotes = 20;

    /// <summary>Where a field that is not known narrows what is allowed or matched, ignoring it would fail open.</summary>
    private static readonly string[] StrictPackages =
    [
        "envoy.config.rbac.v3",
        "envoy.extensions.filters.http.rbac.v3",
        "envoy.extensions.filters.http.jwt_authn.v3",
        "envoy.extensions.filters.http.ext_authz.v3",
        "envoy.extensions.filters.network.ext_authz.v3",
        "envoy.extensions.filters.network.rbac.v3",
        "envoy.extensions.matching.common_inputs.network.v3",
        "envoy.extensions.matching.common_inputs.ssl.v3",
        "envoy.extensions.matching.input_matchers.ip.v3",
        "envoy.extensions.path.match.uri_template.v3",
        "envoy.extensions.rbac.principals.mtls_authenticated.v3",
        "envoy.extensions.transport_sockets.tls.v3",
        "envoy.type.matcher.v3",
        "xds.type.matcher.v3",
    ];

    private static readonly string[] StrictMessages =
    [
        "envoy.config.route.v3.RouteMatch",
        "envoy.config.route.v3.HeaderMatcher",
        "envoy.config.route.v3.QueryParameterMatcher",
        "envoy.config.route.v3.CookieMatcher",
        "envoy.config.listener.v3.FilterChainMatch",
        "envoy.config.common.mutation_rules.v3.HeaderMutationRules",
    ];

    /// <param name="parser">The parser of the message.</param>
    /// <param name="body">The serialized message.</param>
    /// <param name="path">Where in the resource it stands; empty for the resource itself.</param>
    /// <exception cref="ResourceRejectedException">It cannot be decoded.</exception>
    public static T Parse<T>(MessageParser<T> parser, ByteString body, string path = "")
        where T : IMessage<T>
    {
        try
        {
            return parser.ParseFrom(body);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new ResourceRejectedException(path.Length == 0 ? typeof(T).Name : path, $"cannot be decoded: {e.Message}");
        }
    }

    /// <summary>Holds a message to the rules that are published with it.</summary>
    /// <returns>What it carries that this data plane does not know, in words; applying the rest is safe.</returns>
    /// <exception cref="ResourceRejectedException">It breaks a rule, or carries an unknown field where that would fail open.</exception>
    public static IReadOnlyList<string> Validate<T>(T message, ByteString body, MessageParser<T> parser, string path = "")
        where T : IMessage<T>
    {
        try
        {
            WireValidation.Validate(message);
        }
        catch (ResourceRejectedException e) when (path.Length > 0)
        {
            throw new ResourceRejectedException($"{path}.{e.Field}", e.Reason);
        }

        var notes = new List<string>();
        foreach (var location in UnknownFields.Find(body, parser))
        {
            var place = (path.Length, location.Path.Length) switch
            {
                (0, 0) => location.Message.Name,
                (_, 0) => path,
                (0, _) => location.Path,
                _ => $"{path}.{location.Path}",
            };
            if (IsStrict(location.Message))
            {
                throw new ResourceRejectedException(place, $"carries fields of {location.Message.FullName} that this data plane does not know, and ignoring them could allow or match too much");
            }

            if (notes.Count < MaxNotes)
            {
                notes.Add($"{place} carries fields of {location.Message.FullName} that are not known");
            }
        }

        return notes;
    }

    private static bool IsStrict(MessageDescriptor message)
    {
        for (var outer = message; outer is not null; outer = outer.ContainingType)
        {
            if (StrictMessages.Contains(outer.FullName))
            {
                return true;
            }
        }

        return StrictPackages.Contains(message.File.Package);
    }
}
