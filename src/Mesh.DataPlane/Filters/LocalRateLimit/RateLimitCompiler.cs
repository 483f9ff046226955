using System.Net;
using Envoy.Config.Route.V3;
using Mesh.DataPlane.Matching;
using Mesh.Xds.Client;
using MessageAction = Envoy.Config.Route.V3.RateLimit.Types.Action;
using Specifier = Envoy.Config.Route.V3.RateLimit.Types.Action.ActionSpecifierOneofCase;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>Compiles the <c>rate_limits</c> of routes, virtual hosts and of the filter itself.</summary>
internal static class RateLimitCompiler
{
    public static RateLimitRule[] Compile(IReadOnlyList<RateLimit> messages, string path, ICollection<string> notes)
    {
        var rules = new List<RateLimitRule>(messages.Count);
        for (var i = 0; i < messages.Count; i++)
        {
            var message = messages[i];
            var itemPath = $"{path}[{i}]";
            if (message.ApplyOnStreamDone)
            {
                notes.Add($"{itemPath}.apply_on_stream_done is not supported: the rate limit is not applied");
                continue;
            }

            // Envoy's way to switch a rule off for local rate limits.
            if (message.DisableKey.Length > 0)
            {
                continue;
            }

            if (message.Limit is not null)
            {
                notes.Add($"{itemPath}.limit is not applied: local buckets have the size they are configured with");
            }

            if (message.HitsAddend is { Format.Length: > 0 })
            {
                notes.Add($"{itemPath}.hits_addend.format is not applied: a request costs one token");
            }

            if (message.HitsAddend is { IsNegativeHits: true })
            {
                notes.Add($"{itemPath}.hits_addend.is_negative_hits is not applied: local buckets take no tokens back");
            }

            rules.Add(new RateLimitRule(
                message.Stage ?? 0,
                [.. message.Actions.Select((a, n) => Compile(a, $"{itemPath}.actions[{n}]", notes))],
                message.HitsAddend?.Number ?? 1,
                message.XRatelimitOption switch
                {
                    RateLimit.Types.XRateLimitOption.Off => false,
                    RateLimit.Types.XRateLimitOption.DraftVersion03 => true,
                    _ => null,
                }));
        }

        return [.. rules];
    }

    private static RateLimitAction Compile(MessageAction action, string path, ICollection<string> notes)
    {
        switch (action.ActionSpecifierCase)
        {
            case Specifier.SourceCluster:
                return new RateLimitAction.SourceCluster();
            case Specifier.DestinationCluster:
                return new RateLimitAction.DestinationCluster();
            case Specifier.RequestHeaders:
                return new RateLimitAction.RequestHeader(action.RequestHeaders.HeaderName, action.RequestHeaders.DescriptorKey, action.RequestHeaders.SkipIfAbsent);
            case Specifier.QueryParameters:
                return new RateLimitAction.QueryParameter(
                    action.QueryParameters.QueryParameterName,
                    action.QueryParameters.DescriptorKey,
                    action.QueryParameters.SkipIfAbsent);
            case Specifier.GenericKey:
                return new RateLimitAction.Fixed(Or(action.GenericKey.DescriptorKey, "generic_key"), Or(action.GenericKey.DescriptorValue, action.GenericKey.DefaultValue));
            case Specifier.RemoteAddress:
                return new RateLimitAction.RemoteAddress("remote_address", null, null);
            case Specifier.MaskedRemoteAddress:
                return new RateLimitAction.RemoteAddress(
                    "masked_remote_address",
                    (int)(action.MaskedRemoteAddress.V4PrefixMaskLen ?? 32),
                    (int)(action.MaskedRemoteAddress.V6PrefixMaskLen ?? 128));
            case Specifier.RemoteAddressMatch:
                var match = action.RemoteAddressMatch;
                return new RateLimitAction.RemoteAddressMatch(
                    Or(match.DescriptorKey, "remote_address_match"),
                    match.DescriptorValue,
                    match.DefaultValue,
                    [.. match.AddressMatcher.Ranges.Select((r, i) => Network(r, $"{path}.remote_address_match.address_matcher.ranges[{i}]"))],
                    match.AddressMatcher.InvertMatch);
            case Specifier.HeaderValueMatch:
                var header = action.HeaderValueMatch;
                return new RateLimitAction.HeaderValueMatch(
                    Or(header.DescriptorKey, "header_match"),
                    header.DescriptorValue,
                    header.DefaultValue,
                    header.ExpectMatch ?? true,
                    [.. header.Headers.Select((h, i) => MatcherCompiler.Header(h, $"{path}.header_value_match.headers[{i}]"))]);
            case Specifier.QueryParameterValueMatch:
                var query = action.QueryParameterValueMatch;
                return new RateLimitAction.QueryParameterValueMatch(
                    Or(query.DescriptorKey, "query_match"),
                    query.DescriptorValue,
                    query.DefaultValue,
                    query.ExpectMatch ?? true,
                    [.. query.QueryParameters.Select((q, i) => MatcherCompiler.QueryParameter(q, $"{path}.query_parameter_value_match.query_parameters[{i}]"))]);
            case Specifier.Metadata:
                var metadata = action.Metadata;
                if (metadata.Source != MessageAction.Types.MetaData.Types.Source.Dynamic)
                {
                    notes.Add($"{path}.metadata.source {metadata.Source} is not looked up: default_value counts");
                }

                return new RateLimitAction.Metadata(
                    metadata.DescriptorKey,
                    new DynamicMetadata(
                        metadata.Source == MessageAction.Types.MetaData.Types.Source.Dynamic ? metadata.MetadataKey.Key : "",
                        [.. metadata.MetadataKey.Path.Select(s => s.Key)]),
                    metadata.DefaultValue,
                    metadata.SkipIfAbsent);
            default:
                throw new ResourceRejectedException($"{path}.{action.ActionSpecifierCase.ToString().ToLowerInvariant()}", $"{action.ActionSpecifierCase} is not supported, and without it requests would not be limited");
        }
    }

    private static IPNetwork Network(global::Xds.Core.V3.CidrRange range, string path)
    {
        if (!IPAddress.TryParse(range.AddressPrefix, out var address))
        {
            throw new ResourceRejectedException(path + ".address_prefix", $"'{range.AddressPrefix}' is not an IP address");
        }

        var length = range.PrefixLen ?? 0;
        return length <= address.GetAddressBytes().Length * 8
            ? RateLimitAction.RemoteAddress.Network(address, (int)length)
            : throw new ResourceRejectedException(path + ".prefix_len", $"{length} is longer than the address");
    }

    private static string Or(string value, string otherwise) => value.Length > 0 ? value : otherwise;
}
