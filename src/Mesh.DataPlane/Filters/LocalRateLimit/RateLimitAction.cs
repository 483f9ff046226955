using System.Net;
using Mesh.DataPlane.Matching;
using Mesh.Filters;

namespace Mesh.DataPlane.Filters.LocalRateLimit;

/// <summary>One action of a rate limit: adds an entry to the request's descriptor.</summary>
internal abstract class RateLimitAction
{
    /// <returns><see langword="false"/> when the request has no descriptor because of it.</returns>
    public abstract bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries);

    internal sealed class Fixed(string key, string value) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            entries.Add((key, value));
            return true;
        }
    }

    internal sealed class SourceCluster : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            entries.Add(("source_cluster", sourceCluster));
            return true;
        }
    }

    internal sealed class DestinationCluster : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            if (exchange.ClusterName is not { } cluster)
            {
                return false;
            }

            entries.Add(("destination_cluster", cluster));
            return true;
        }
    }

    internal sealed class RequestHeader(string name, string key, bool skipIfAbsent) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            if (!exchange.RequestHeaders.TryGet(name, out var value))
            {
                return skipIfAbsent;
            }

            entries.Add((key, value));
            return true;
        }
    }

    internal sealed class QueryParameter(string name, string key, bool skipIfAbsent) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            if (QueryString.First(exchange.Path, name) is not { } value)
            {
                return skipIfAbsent;
            }

            entries.Add((key, value));
            return true;
        }
    }

    /// <summary>The caller's address, or its network; there is none in process.</summary>
    internal sealed class RemoteAddress(string key, int? v4Bits, int? v6Bits) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            if (EngineExchange.Of(exchange).RemoteAddress is not { } address)
            {
                return false;
            }

            var bits = address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? v4Bits : v6Bits;
            entries.Add((key, bits is { } length ? Network(address, length).ToString() : address.ToString()));
            return true;
        }

        /// <summary>The network of an address; the host's bits are cleared, which the framework insists on.</summary>
        public static IPNetwork Network(IPAddress address, int length)
        {
            var bytes = address.GetAddressBytes();
            for (var i = 0; i < bytes.Length; i++)
            {
                var kept = Math.Clamp(length - (i * 8), 0, 8);
                bytes[i] &= (byte)(0xff << (8 - kept));
            }

            return new IPNetwork(new IPAddress(bytes), length);
        }
    }

    /// <summary>The caller's address in one of several networks.</summary>
    internal sealed class RemoteAddressMatch(string key, string value, string defaultValue, IPNetwork[] networks, bool invert) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            if (EngineExchange.Of(exchange).RemoteAddress is not { } address)
            {
                return false;
            }

            return Array.Exists(networks, n => n.Contains(address)) != invert ? Add(entries, key, value) : Add(entries, key, defaultValue);
        }
    }

    internal sealed class HeaderValueMatch(string key, string value, string defaultValue, bool expectMatch, HeaderMatcher[] headers) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            var view = EngineExchange.Of(exchange).View;
            var matches = true;
            foreach (var header in headers)
            {
                matches &= header.IsMatch(view);
            }

            return matches == expectMatch ? Add(entries, key, value) : Add(entries, key, defaultValue);
        }
    }

    internal sealed class QueryParameterValueMatch(string key, string value, string defaultValue, bool expectMatch, QueryParameterMatcher[] parameters)
        : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
        {
            var view = EngineExchange.Of(exchange).View;
            var matches = true;
            foreach (var parameter in parameters)
            {
                matches &= parameter.IsMatch(view);
            }

            return matches == expectMatch ? Add(entries, key, value) : Add(entries, key, defaultValue);
        }
    }

    /// <summary>A string somewhere in the dynamic metadata.</summary>
    internal sealed class Metadata(string key, DynamicMetadata metadata, string defaultValue, bool skipIfAbsent) : RateLimitAction
    {
        public override bool Describe(HttpExchange exchange, string sourceCluster, List<(string Key, string Value)> entries)
            => Add(entries, key, metadata.Find(exchange) ?? defaultValue) || skipIfAbsent;
    }

    // Without a match and without a default there is no descriptor.
    private static bool Add(List<(string Key, string Value)> entries, string key, string value)
    {
        if (value.Length == 0)
        {
            return false;
        }

        entries.Add((key, value));
        return true;
    }
}
