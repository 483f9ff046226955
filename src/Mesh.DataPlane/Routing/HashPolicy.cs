using Mesh.DataPlane.LoadBalancing.Hashing;
using Mesh.DataPlane.Matching;
using Mesh.DataPlane.Matching.Re2;

namespace Mesh.DataPlane.Routing;

/// <summary>One of a route's hash policies, compiled.</summary>
internal abstract class HashPolicy
{
    /// <summary>Once there is a hash, the policies after this one are not asked.</summary>
    public bool IsTerminal { get; init; }

    public abstract bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie);

    /// <summary>The value of a header, after a rewrite if there is one; several values are one as they go over the wire.</summary>
    internal sealed class Header(HeaderName name, Re2Pattern? pattern, Re2Substitution? substitution) : HashPolicy
    {
        public override bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie)
        {
            setCookie = null;
            hash = 0;
            if (!view.TryGetHeader(name, out var value))
            {
                return false;
            }

            hash = XxHash64.Hash(pattern is null ? value : pattern.Replace(value.ToString(), substitution!));
            return true;
        }
    }

    /// <summary>The value of a cookie; a request without one gets a new one, when the policy says how long it lives.</summary>
    /// <remarks>Envoy makes the value of the connection's addresses. In process there is no connection: every request without the cookie begins a session of its own.</remarks>
    internal sealed class Cookie(string name, GeneratedCookie? generated) : HashPolicy
    {
        public override bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie)
        {
            setCookie = null;
            if (view.TryGetHeader(CookieMatcher.Header, out var header) && CookieMatcher.TryGet(header, name, out var value) && !value.IsEmpty)
            {
                hash = XxHash64.Hash(value);
                return true;
            }

            hash = 0;
            if (generated is null)
            {
                return false;
            }

            Span<char> fresh = stackalloc char[16];
            LoadBalancing.Draw.Next(~draw).TryFormat(fresh, out _, "x16", System.Globalization.CultureInfo.InvariantCulture);
            hash = XxHash64.Hash(fresh);
            setCookie = generated.SetCookie(name, fresh);
            return true;
        }
    }

    /// <summary>The first query parameter of that name, as it was sent.</summary>
    internal sealed class QueryParameter(string name) : HashPolicy
    {
        public override bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie)
        {
            setCookie = null;
            var found = QueryParameterMatcher.TryGet(view.Query, name, out var value);
            hash = found ? XxHash64.Hash(value) : 0;
            return found;
        }
    }

    /// <summary>The caller's address: the one the application names for whom it acts, else this process's own.</summary>
    internal sealed class SourceIp : HashPolicy
    {
        public override bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie)
        {
            setCookie = null;
            hash = request?.Options.TryGetValue(MeshRequest.SourceAddress, out var source) == true
                ? XxHash64.Hash((source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source).ToString())
                : OwnAddress.Hash;
            return true;
        }
    }

    /// <summary>gRPC's <c>io.grpc.channel_id</c> (gRFC A42): all requests of this process go to one host.</summary>
    internal sealed class ChannelId : HashPolicy
    {
        private static readonly ulong Id = XxHash64.Hash(Guid.NewGuid().ToByteArray());

        public override bool TryHash(scoped in RequestView view, HttpRequestMessage? request, ulong draw, out ulong hash, out string? setCookie)
        {
            setCookie = null;
            hash = Id;
            return true;
        }
    }
}
