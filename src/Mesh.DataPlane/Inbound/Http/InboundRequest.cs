using System.Globalization;
using System.Net;
using Mesh.DataPlane.Headers;
using Mesh.DataPlane.Retry;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Upstream;
using Mesh.Filters;

namespace Mesh.DataPlane.Inbound.Http;

/// <summary>
/// What is done to a request before any filter sees it, in the order of Envoy's connection manager: limits, host, path, then whom it comes from and
/// which of its headers can be believed.
/// </summary>
internal static class InboundRequest
{
    private const string ForwardedProto = "x-forwarded-proto";
    private const string ForwardedPort = "x-forwarded-port";

    /// <returns>The reply to a request that goes no further.</returns>
    public static LocalReply? Prepare(InboundExchange exchange)
    {
        var settings = exchange.Table.Settings;

        // 1. How much, and under which names.
        var scan = default(HeaderScan);
        exchange.Scan(ref scan);
        if (scan.Length > settings.MaxHeadersLength)
        {
            return InboundReplies.HeadersTooLarge;
        }

        if (scan.Count > settings.MaxHeadersCount)
        {
            return InboundReplies.TooManyHeaders;
        }

        if (scan.Underscores is { } underscores && settings.Underscores != UnderscoresAction.Allow)
        {
            if (settings.Underscores == UnderscoresAction.Reject)
            {
                return InboundReplies.Underscore;
            }

            Remove(exchange, underscores);
        }

        // 2. Which host and which path.
        var host = exchange.Authority;
        if (HostNormalization.Apply(host, settings, exchange.Connection?.LocalEndPoint?.Port) is var normalHost && !ReferenceEquals(host, normalHost))
        {
            exchange.Authority = normalHost;
        }

        var path = exchange.Path;
        var normal = path;
        switch (PathNormalization.Apply(ref normal, settings))
        {
            case PathVerdict.Reject:
                return InboundReplies.PathRejected;
            case PathVerdict.Redirect:
                return InboundReplies.PathRedirected(normal);
        }

        if (!ReferenceEquals(path, normal))
        {
            exchange.Path = normal;
        }

        // 3. From whom, and what of it can be believed.
        Mutate(exchange, settings, scan);
        return null;
    }

    /// <summary>The router's <c>strict_check_headers</c>, which come after the filters.</summary>
    public static LocalReply? CheckStrictly(InboundExchange exchange)
    {
        foreach (var name in exchange.Table.Settings.StrictHeaders)
        {
            if (exchange.TryGetHeader(HeaderSide.Request, name, out var value) && !IsControlValue(name, value))
            {
                return InboundReplies.StrictCheckFailed(name, value);
            }
        }

        return null;
    }

    private static void Mutate(InboundExchange exchange, InboundHttpSettings settings, in HeaderScan scan)
    {
        var connection = exchange.Connection;
        var peer = connection?.RemoteEndPoint?.Address is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : connection?.RemoteEndPoint?.Address;
        var forwarded = scan.HasForwardedFor && exchange.TryGetHeader(HeaderSide.Request, ForwardedFor.Header, out var value) ? value : null;
        IPAddress? address;
        bool isOnly;
        if (settings.UsesRemoteAddress)
        {
            isOnly = forwarded is null;
            address = (settings.TrustedHops > 0 ? ForwardedFor.Last(forwarded, settings.TrustedHops - 1).Address : null) ?? peer;
            if (!settings.SkipsForwardedFor && peer is not null)
            {
                Set(exchange, ForwardedFor.Header, forwarded is null ? peer.ToString() : $"{forwarded},{peer}");
            }

            if (settings.TrustedHops == 0 || !scan.HasForwardedProto)
            {
                Set(exchange, ForwardedProto, SchemeOf(connection));
            }

            if (settings.AppendsForwardedPort && connection?.LocalEndPoint is { } local && (settings.TrustedHops == 0 || !exchange.TryGetHeader(HeaderSide.Request, ForwardedPort, out _)))
            {
                Set(exchange, ForwardedPort, HeaderNumbers.Text(local.Port));
            }
        }
        else
        {
            (address, isOnly) = ForwardedFor.Last(forwarded, settings.TrustedHops);
            if (!scan.HasForwardedProto)
            {
                exchange.AddHeader(HeaderSide.Request, ForwardedProto, SchemeOf(connection));
            }
        }

        exchange.IsInternal = isOnly && address is not null && IsInternal(address, settings.InternalAddresses);
        exchange.JudgedAddress = address ?? peer;
        var isEdge = !exchange.IsInternal && settings.UsesRemoteAddress;
        if (scan.Envoy is { } names)
        {
            foreach (var name in names)
            {
                if (EnvoyHeaders.IsRemoved(name, exchange.IsInternal, isEdge))
                {
                    exchange.RemoveHeader(HeaderSide.Request, name);
                }
            }
        }

        if (exchange.IsInternal)
        {
            exchange.AddHeader(HeaderSide.Request, EnvoyHeaders.Internal, "true");
        }
        else
        {
            foreach (var name in settings.InternalOnlyHeaders)
            {
                exchange.RemoveHeader(HeaderSide.Request, name);
            }
        }

        if (settings.Via.Length > 0)
        {
            Set(exchange, "via", exchange.TryGetHeader(HeaderSide.Request, "via", out var via) ? $"{via}, {settings.Via}" : settings.Via);
        }

        if (isEdge && exchange.JudgedAddress is { } external)
        {
            Set(exchange, EnvoyHeaders.ExternalAddress, external.ToString());
        }

        IdentifyRequest(exchange, settings, scan.HasRequestId, isEdge);

        ForwardClientCert(exchange, settings.ClientCert, scan.HasForwardedClientCert);
    }

    // Who is outside of the mesh may name a request where that is allowed, but not have it traced.
    private static void IdentifyRequest(InboundExchange exchange, InboundHttpSettings settings, bool isThere, bool isEdge)
    {
        var rules = settings.Signals.Tracing.RequestIds;
        if (!rules.Generates)
        {
            return;
        }

        if (!isThere || (isEdge && !settings.PreservesExternalRequestId))
        {
            Set(exchange, RequestIds.Header, RequestIds.Create(exchange.Table.Random));
        }
        else if (isEdge && rules.TellsReason && exchange.TryGetHeader(HeaderSide.Request, RequestIds.Header, out var id) && RequestIds.ReasonOf(id) != TraceReason.NotTraceable)
        {
            Set(exchange, RequestIds.Header, RequestIds.With(id, TraceReason.NotTraceable));
        }
    }

    private static void ForwardClientCert(InboundExchange exchange, ForwardedClientCert config, bool isThere)
    {
        switch (config.Action)
        {
            case ForwardedClientCertAction.AlwaysForwardOnly:
                return;
            case ForwardedClientCertAction.ForwardOnly when exchange.Connection is { IsMutualTls: true }:
                return;
            case ForwardedClientCertAction.SanitizeSet when exchange.Connection is { IsMutualTls: true } connection:
                Set(exchange, ForwardedClientCert.Header, config.ValueOf(connection));
                return;
            case ForwardedClientCertAction.AppendForward when exchange.Connection is { IsMutualTls: true } connection:
                var own = config.ValueOf(connection);
                Set(exchange, ForwardedClientCert.Header, isThere && exchange.TryGetHeader(HeaderSide.Request, ForwardedClientCert.Header, out var before) ? $"{before},{own}" : own);
                return;
            default:
                if (isThere)
                {
                    exchange.RemoveHeader(HeaderSide.Request, ForwardedClientCert.Header);
                }

                return;
        }
    }

    private static bool IsControlValue(string name, string value)
        => name switch
        {
            "x-envoy-retry-on" or "x-envoy-retry-grpc-on" => IsRetryOn(value),
            _ => uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        };

    private static bool IsRetryOn(string value)
    {
        var unknown = new List<string>();
        return RetryOnParser.Parse(value, unknown) != RetryOn.None && unknown.Count == 0;
    }

    private static bool IsInternal(IPAddress address, IPNetwork[] networks)
    {
        foreach (var network in networks)
        {
            if (network.Contains(address))
            {
                return true;
            }
        }

        return false;
    }

    private static string SchemeOf(ConnectionFacts? connection) => connection is { IsTls: true } ? "https" : "http";

    private static void Set(InboundExchange exchange, string name, string value)
    {
        exchange.RemoveHeader(HeaderSide.Request, name);
        exchange.AddHeader(HeaderSide.Request, name, value);
    }

    private static void Remove(InboundExchange exchange, List<string> names)
    {
        foreach (var name in names)
        {
            exchange.RemoveHeader(HeaderSide.Request, name);
        }
    }
}
