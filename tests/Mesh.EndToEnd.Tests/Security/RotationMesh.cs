using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Mesh.ControlPlane;
using Mesh.DataPlane;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Tls;
using Mesh.EndToEnd.Tests.Lab;
using Mesh.Identity;
using Mesh.Xds.Certificates;
using Mesh.Xds.Client;
using Mesh.Xds.Serving;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Mesh.EndToEnd.Tests.Security;

/// <summary>
/// Two workloads whose certificates come from the control plane's authority, by gRPC on TLS, and four callers who never stop. The clock leaps only
/// while each of them has a request at the server: so no handshake that anybody waits for is cut by a clock that runs away from the sockets, and every leap
/// meets requests under way. Nor does it leap while a renewal is due that has not come: that takes its time on a busy machine, and the clock would have run
/// past the certificate meanwhile.
/// </summary>
internal sealed class RotationMesh : IAsyncDisposable
{
    public const int Callers = 4;

    /// <summary>How far the clock leaps: a fifteenth or so of half a certificate's lifetime, so that what is due at different times is so here.</summary>
    public static readonly TimeSpan Leap = TimeSpan.FromMinutes(50);

    // By the server; by the client, who says nothing (whoever refuses a certificate sends an alert).
    private static readonly string[] _cut = ["TLS has failed: it has taken too long.", "TLS has failed: Received an unexpected EOF", "Connection reset by peer"];

    private static readonly TimeSpan _ordinary = TimeSpan.FromHours(24);

    private readonly PodMesh _mesh;
    private readonly WebApplication _authority;
    private readonly string _files;
    private readonly TimeSpan _lifetime;
    private readonly ConcurrentDictionary<string, Connection> _connections = new();
    private volatile Gate? _gate;
    private DateTimeOffset _serverUntil = DateTimeOffset.MaxValue;

    private RotationMesh(PodMesh mesh, WebApplication authority, string files, TimeSpan lifetime)
        => (_mesh, _authority, _files, _lifetime) = (mesh, authority, files, lifetime);

    public MeshPod Server { get; private set; } = null!;

    public MeshPod Client { get; private set; } = null!;

    public Load Load { get; private set; } = null!;

    public DateTimeOffset Now => _mesh.Time.GetUtcNow();

    public TestLog Log => _mesh.Log;

    public IMeshCertificateAuthority Authority => _mesh.ControlPlane.GetRequiredService<IMeshCertificateAuthority>();

    /// <summary>The connections that requests have come on, as they are now.</summary>
    public IReadOnlyCollection<Connection> Connections => [.. _connections.Values.Where(connection => connection.Requests > 0).Select(connection => connection with { })];

    /// <summary>What the client's end counts: <c>ssl.handshake</c>.</summary>
    public long Handshakes => EngineOf(Client).Clusters.Find("outbound|80||echo.default.svc.cluster.local")!.Stats.TlsHandshakes.Value;

    /// <summary>
    /// Connections that the server has refused, but for those that the clock ran away from: the client's pool begins one for a request that another then
    /// serves, so that a handshake for nobody may be in hand while all callers have a request at the server, and the clock of either end cuts it.
    /// </summary>
    public IReadOnlyList<string> Refusals
        => [.. Log.Lines.Where(line => line.Contains("is refused", StringComparison.Ordinal) && !_cut.Any(cut => line.Contains(cut, StringComparison.Ordinal)))];

    /// <param name="http2">What is spoken.</param>
    /// <param name="requestsPerConnection">After how many requests a connection is closed in any case; 0 for never.</param>
    /// <param name="lifetime">How long certificates are good; 24 hours if nothing is said.</param>
    public static async Task<RotationMesh> StartAsync(bool http2, int requestsPerConnection, TimeSpan? lifetime = null)
    {
        var files = Directory.CreateTempSubdirectory("mesh-rotation-").FullName;
        var (token, roots) = (Path.Combine(files, "token"), Path.Combine(files, "roots.pem"));
        File.WriteAllText(token, "rotation-rotation-rotation-rotation");
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(token, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        var mesh = await PodMesh.StartAsync(
            LabYaml.Service("echo")
            + LabYaml.DestinationRule("echo", $"trafficPolicy: {{connectionPool: {{http: {{maxRequestsPerConnection: {requestsPerConnection.ToString(CultureInfo.InvariantCulture)}, h2UpgradePolicy: {(http2 ? "UPGRADE" : "DO_NOT_UPGRADE")}}}}}}}")
            + SecurityYaml.PeerAuthentication("STRICT"),
            configure: options =>
            {
                options.Authentication.JoinTokens.Add(new MeshJoinTokenOptions { File = token, Accounts = { "default/*" } });
                options.CertificateAuthority.MaxLifetime = lifetime ?? _ordinary; // for so long a root that was replaced is trusted
            });
        var authority = await ServeAsync(mesh);
        File.WriteAllText(roots, mesh.ControlPlane.GetRequiredService<IMeshCertificateAuthority>().Roots);
        var rotation = new RotationMesh(mesh, authority, files, lifetime ?? _ordinary);
        void Identify(MeshOptions options)
        {
            var settings = options.Identity.CertificateAuthority;
            settings.Address = authority.Urls.Single();
            settings.RootCertificates = roots;
            settings.TokenFile = token;
            settings.Lifetime = lifetime ?? _ordinary;

            // Of a clock that leaps.
            settings.RequestTimeout = TimeSpan.FromDays(1);
            options.Client.OnDemandIdleTimeout = TimeSpan.FromDays(365);

            // Whom a server asks to close has time for it: more than a leap, in which requests are under way.
            options.Server.DrainDuration = Leap * 3;
        }

        rotation.Server = await mesh.AddMeshPodAsync("echo", rotation.EchoAsync, account: "echo", settings: Identify, listen: rotation.Follow);
        mesh.Time.Advance(Leap * 7); // the two ends are renewed in turn
        rotation.Client = await mesh.AddMeshPodAsync("caller", account: "caller", settings: Identify);
        rotation.Load = new Load(mesh.Log, rotation.Client.Client, ["http://echo"], Callers);
        return rotation;
    }

    /// <summary>Lets the clock leap, and then so many requests pass; what is due is renewed meanwhile.</summary>
    public async Task LeapAsync(int requests)
    {
        var gate = new Gate(Callers);
        _gate = gate;
        await gate.AllAreIn.Task.OrHang("a request of each caller");
        await WhenRenewedAsync(Server);
        await WhenRenewedAsync(Client);
        _serverUntil = IdentityOf(Server).Status.ValidUntil!.Value;
        _mesh.Time.Advance(Leap);
        _gate = null;
        gate.Open.SetResult();
        await Load.MoreAsync(requests);
    }

    /// <summary>The certificate that a workload shows by now.</summary>
    public static string SerialOf(MeshPod pod) => IdentityOf(pod).Status.SerialNumber!;

    public async ValueTask DisposeAsync()
    {
        _gate?.Open.TrySetResult();
        try
        {
            await Load.StopAsync();
        }
        finally
        {
            await _mesh.DisposeAsync();
            await _authority.DisposeAsync().AsTask().OrHang("the end of the authority");
            Directory.Delete(_files, recursive: true);
        }
    }

    private static async Task<WebApplication> ServeAsync(PodMesh mesh)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders().AddProvider(mesh.Log.For("authority"));
        builder.Services.AddSingleton(mesh.Server);
        builder.Services.AddSingleton(mesh.ControlPlane.GetRequiredService<ICertificateIssuer>());
        builder.Services.AddSingleton(mesh.ControlPlane.GetRequiredService<IServerCertificateSource>());
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenMeshXdsTls(IPAddress.Loopback, 0));
        var app = builder.Build();
        app.MapMeshXds();
        await app.StartAsync().OrHang();
        return app;
    }

    // With two leaps to spare: what is due by now, but for what chance adds.
    private async Task WhenRenewedAsync(MeshPod pod)
    {
        var identity = IdentityOf(pod);
        var renewal = new Renewal(() => identity.Status.ValidUntil - Now > (_lifetime / 2) - (Leap * 2));
        using var watch = identity.Watch(ISecretSource.Certificate, renewal);
        await renewal.Reached.OrHang($"the renewal of the certificate of {pod.Name}, which ends at {identity.Status.ValidUntil:u}, by {Now:u}");
    }

    private static MeshEngine EngineOf(MeshPod pod) => pod.Services.GetRequiredService<MeshEngine>();

    private static WorkloadIdentity IdentityOf(MeshPod pod) => (WorkloadIdentity)EngineOf(pod).Identity!;

    // When it has been let in, and not with its first request: the client's pool begins connections that lie idle until there is need of them.
    private void Follow(ListenOptions listen)
        => listen.Use(next => connection =>
        {
            // The client's certificate was shown. The server's is the one of now or, where it has been renewed since the clock stood still, the one before.
            var shown = connection.Features.Get<IMeshPeerFeature>()!.Certificate!;
            var (client, server) = (new DateTimeOffset(shown.NotAfter.ToUniversalTime()), IdentityOf(Server).Status.ValidUntil!.Value);
            var made = new Connection(Now, Earlier(client, Earlier(server, _serverUntil)), Earlier(client, server), shown);
            connection.ConnectionClosed.Register(() => made.Closed = Now);
            _connections[connection.ConnectionId] = made;
            return next(connection);
        });

    private async Task EchoAsync(HttpContext context)
    {
        _connections[context.Connection.Id].Asked(Now);
        if (_gate is { } gate)
        {
            await gate.PassAsync();
        }

        if (HttpMethods.IsGet(context.Request.Method))
        {
            await context.Response.WriteAsync("echo", context.RequestAborted);
            return;
        }

        await context.Request.Body.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset another) => one < another ? one : another;

    /// <summary>A connection as the server saw it.</summary>
    /// <param name="Made">When it was let in: with the leap in which its handshake was, or the next.</param>
    /// <param name="UntilAtLeast">When the first of its two certificates ends, at the earliest.</param>
    /// <param name="UntilAtMost">The same, at the latest.</param>
    /// <param name="Certificate">The client's.</param>
    internal sealed record Connection(DateTimeOffset Made, DateTimeOffset UntilAtLeast, DateTimeOffset UntilAtMost, X509Certificate2 Certificate)
    {
        private int _late;
        private int _requests;

        public int Requests => Volatile.Read(ref _requests);

        /// <summary>Requests that came after its time, which ends at nine tenths of what its certificates had left, or with the leap in which that was.</summary>
        public int LateRequests => _late;

        /// <summary>When it was closed; <see langword="null"/> while it is open.</summary>
        public DateTimeOffset? Closed { get; set; }

        public void Asked(DateTimeOffset now)
        {
            Interlocked.Increment(ref _requests);
            if (now - Made > ((UntilAtMost - Made) * 0.9) + Leap)
            {
                Interlocked.Increment(ref _late);
            }
        }
    }

    /// <summary>Watches for the certificate by which a condition holds.</summary>
    private sealed class Renewal(Func<bool> condition) : IResourceWatcher<SecretResource>
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Reached => _reached.Task;

        public void OnChanged(string name, SecretResource resource, string version)
        {
            if (condition())
            {
                _reached.TrySetResult();
            }
        }

        public void OnResourceError(string name, ResourceError error)
        {
        }

        public void OnAmbientError(string name, ResourceError error)
        {
        }
    }

    private sealed class Gate(int callers)
    {
        private int _in;

        public TaskCompletionSource AllAreIn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Open { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task PassAsync()
        {
            if (Interlocked.Increment(ref _in) == callers)
            {
                AllAreIn.SetResult();
            }

            return Open.Task;
        }
    }
}
