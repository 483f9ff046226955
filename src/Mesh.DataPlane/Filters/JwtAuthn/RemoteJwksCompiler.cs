using Mesh.DataPlane.Calls;
using Mesh.Xds.Client;
using Message = Envoy.Extensions.Filters.Http.JwtAuthn.V3.RemoteJwks;

namespace Mesh.DataPlane.Filters.JwtAuthn;

/// <summary>Compiles <c>RemoteJwks</c>.</summary>
internal static class RemoteJwksCompiler
{
    // Envoy's, whose documentation says five.
    private static readonly TimeSpan DefaultCacheDuration = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan DefaultFailedRefetch = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(1);

    public static RemoteJwksSettings Compile(Message message, string path, ICollection<string> notes)
    {
        var http = message.HttpUri ?? throw new ResourceRejectedException(path + ".http_uri", "must be set");
        var (uri, timeout) = CallCompiler.Uri(http, path + ".http_uri");
        var cache = message.CacheDuration?.ToTimeSpan() ?? DefaultCacheDuration;
        var settings = new RemoteJwksSettings(uri, http.Cluster, timeout, cache < Least ? Least : cache);
        if (CallCompiler.Retry(message.RetryPolicy, path + ".retry_policy", notes) is { } retry)
        {
            settings = settings with { NumRetries = retry.NumRetries, RetryOn = retry.On, BackOff = retry.BackOff };
        }

        if (message.AsyncFetch is { } fetch)
        {
            var failed = fetch.FailedRefetchDuration?.ToTimeSpan() ?? DefaultFailedRefetch;
            settings = settings with { FetchesAhead = true, HoldsListener = !fetch.FastListener, FailedRefetch = failed < Least ? Least : failed };
        }

        return settings;
    }
}
