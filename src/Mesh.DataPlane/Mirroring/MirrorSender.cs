using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Hosts;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.OriginalDst;
using Mesh.DataPlane.Routing;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Tls;
using Mesh.DataPlane.Upstream;

namespace Mesh.DataPlane.Mirroring;

/// <summary>
/// Sends copies of requests and forgets them: the caller neither waits for one nor learns how it went. A copy takes part in its cluster like any
/// request (pick, circuit breakers, outlier detection), is tried once, and its response is read to its end and dropped. Bounded in number and in time.
/// </summary>
internal sealed class MirrorSender(AttemptSender attempts, HeaderClusters headerClusters, TimeProvider time)
{
    /// <summary>Copies that may be on their way at the same time.</summary>
    public const int MaxActive = 1024;

    /// <summary>How long a copy may take where the route has no timeout.</summary>
    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(15);

    // The route's own policy governs the original: its headers and host have been applied, its retries and priorities are not the copy's.
    private static readonly RouteEntry Route = new(
        -1,
        "mirror",
        new RouteMatch(new PathMatch(PathMatchKind.Prefix, "/", CaseSensitive: true), RouteConditions.None),
        new RouteAction.Unsupported("mirror"));

    private int _active;
    private long _sent;
    private long _abandoned;
    private long _dropped;

    public int Active => Volatile.Read(ref _active);

    /// <summary>Copies that were sent.</summary>
    public long Sent => Volatile.Read(ref _sent);

    /// <summary>Copies that were not made because the body was not kept (Envoy's <c>retry_or_shadow_abandoned</c>).</summary>
    public long Abandoned => Volatile.Read(ref _abandoned);

    /// <summary>Copies that were not sent because too many were on their way.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Copies the request, as the route has made it, for each mirror whose share it falls into; <see langword="null"/> when there is none.</summary>
    public MirroredRequest? Begin(HostEntry host, in Decision routed, HttpRequestMessage request, TimeSpan routeTimeout, ulong draw, RequestRecord? record = null)
    {
        MirroredRequest? mirrored = null;
        var chance = draw;
        foreach (var mirror in routed.Route!.Mirrors ?? [])
        {
            // Each share is a chance of its own, independent of where the original goes.
            chance = Draw.Next(~chance);
            if (mirror.Policy.Fraction is { } fraction && !fraction.Includes(chance))
            {
                continue;
            }

            string? name = null;
            if (mirror.Cluster is null)
            {
                name = HttpRequestHeaderReader.Instance.First(request, mirror.Policy.ClusterHeader!);
                if (string.IsNullOrEmpty(name))
                {
                    continue;
                }
            }

            if (Copy(mirror.Policy, routed, request) is { } copy)
            {
                mirrored ??= new MirroredRequest(this, host, routed.Host, routeTimeout > TimeSpan.Zero ? routeTimeout : DefaultTimeout, chance);
                mirrored.Add(copy, mirror.Cluster, name, mirror.Policy.TraceSampled && record is { Signals.Tracer: { } tracer } ? tracer.BeginMirror(record, copy) : null);
            }
        }

        return mirrored;
    }

    public void Abandon() => Interlocked.Increment(ref _abandoned);

    /// <summary>Sends one copy, on another thread.</summary>
    public void Start(HostEntry host, HostState state, HttpRequestMessage copy, Cluster? cluster, string? clusterName, TimeSpan timeout, ulong draw, MirrorSpan? span = null)
    {
        if (Interlocked.Increment(ref _active) > MaxActive)
        {
            Interlocked.Decrement(ref _active);
            Interlocked.Increment(ref _dropped);
            span?.Drop();
            copy.Dispose();
            return;
        }

        // The caller's context and activity are not the copy's to hold on to.
        using (ExecutionContext.SuppressFlow())
        {
            _ = Task.Run(() => SendAsync(host, state, copy, cluster, clusterName, timeout, draw, span));
        }
    }

    private async Task SendAsync(
        HostEntry host, HostState state, HttpRequestMessage copy, Cluster? cluster, string? clusterName, TimeSpan timeout, ulong draw, MirrorSpan? span)
    {
        try
        {
            using var deadline = new CancellationTokenSource(timeout, time);
            cluster ??= headerClusters.Find(clusterName!) ?? await headerClusters.ResolveAsync(clusterName!, deadline.Token).ConfigureAwait(false);
            if (cluster is null)
            {
                return;
            }

            var routed = new Decision { Host = state, Route = Route, Cluster = cluster };
            if (cluster.Current.Destinations is { } destinations)
            {
                routed = await RequestDestination.OfAsync(destinations, routed, copy, exchange: null, deadline.Token).ConfigureAwait(false);
            }

            Interlocked.Increment(ref _sent);
            using var attempt = await attempts.RunAsync(
                new AttemptInput
                {
                    Host = host,
                    Request = copy,
                    Decision = routed,
                    Pick = new PickContext(draw),
                },
                deadline.Token).ConfigureAwait(false);
            span?.Tell(attempt);
            if (attempt.Response is { } response)
            {
                await response.Content.CopyToAsync(Stream.Null, deadline.Token).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException or InvalidOperationException)
        {
            // Nobody waits for it.
        }
        finally
        {
            span?.End();
            copy.Dispose();
            Interlocked.Decrement(ref _active);
        }
    }

    private HttpRequestMessage? Copy(MirrorPolicy policy, in Decision routed, HttpRequestMessage request)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Version = request.Version, VersionPolicy = request.VersionPolicy };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            copy.Headers.TryAddWithoutValidation(name, values);
        }

        RequestHost.Copy(request, copy);
        CallerTls.Copy(request, copy);
        if (!policy.TraceSampled)
        {
            TraceContext.Unsample(copy.Headers);
        }

        // An upgrade is a conversation, which has no copy.
        var authority = RequestTarget.AuthorityOf(request);
        var canSend = request.Method != HttpMethod.Connect && !request.Headers.NonValidated.Contains("Upgrade");
        var edit = new RequestEdit(copy);
        foreach (var header in policy.Headers)
        {
            canSend &= header.Apply(edit, FormatContexts.Of(routed, copy, authority, time));
        }

        var shadow = policy.AuthorityOf(authority);
        if (!canSend || !RequestTarget.IsAuthority(shadow))
        {
            copy.Dispose();
            return null;
        }

        edit.SetAuthority(shadow);
        return copy;
    }
}
