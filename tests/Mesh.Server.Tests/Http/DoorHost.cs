using System.Net;
using System.Net.Sockets;
using System.Text;
using Envoy.Config.Core.V3;
using Envoy.Config.Route.V3;
using Envoy.Extensions.Filters.Http.Router.V3;
using Envoy.Extensions.Filters.Network.HttpConnectionManager.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Filters;
using Mesh.DataPlane.Inbound;
using Mesh.DataPlane.Inbound.Http;
using Mesh.DataPlane.Telemetry;
using Mesh.DataPlane.Telemetry.AccessLogs;
using Mesh.DataPlane.Telemetry.Tracing;
using Mesh.DataPlane.Tests.Telemetry;
using Mesh.Server.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using HttpMethod = System.Net.Http.HttpMethod;

namespace Mesh.Server.Tests.Http;

/// <summary>An application behind the server's door: real sockets, and a listener that the test writes.</summary>
internal sealed class DoorHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Connection _connection;

    private DoorHost(WebApplication app, Connection connection) => (_app, _connection) = (app, connection);

    public IPEndPoint EndPoint => IPEndPoint.Parse(new Uri(_app.Urls.First()).Authority);

    /// <summary>What the application has been called with.</summary>
    public List<Served> Requests { get; } = [];

    /// <summary>Starts an application.</summary>
    /// <param name="configure">Writes the listener's connection manager; <see langword="null"/> for a port without a listener.</param>
    /// <param name="application">The application; by default it says the path that it was called by.</param>
    /// <param name="facts">What is known of connections, beside their addresses.</param>
    /// <param name="protocols">What the server speaks.</param>
    /// <param name="types">The filters that there are.</param>
    /// <param name="server">The server's own settings.</param>
    /// <param name="caseInsensitivePaths"><see cref="MeshServerOptions.CaseInsensitivePaths"/>.</param>
    /// <param name="logs">Writes the listener's access logs.</param>
    /// <param name="tracing">Who makes spans, and where they go.</param>
    /// <param name="services">Sets the application up.</param>
    public static async Task<DoorHost> StartAsync(
        Action<HttpConnectionManager>? configure = null,
        Action<WebApplication>? application = null,
        Func<ConnectionFacts, ConnectionFacts>? facts = null,
        HttpProtocols protocols = HttpProtocols.Http1,
        FilterTypes? types = null,
        Action<KestrelServerOptions>? server = null,
        bool caseInsensitivePaths = false,
        MeshAccessLogs? logs = null,
        MeshTracing? tracing = null,
        Action<WebApplicationBuilder>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        var connection = new Connection(types ?? Types(caseInsensitivePaths), facts ?? (f => f), caseInsensitivePaths, logs, tracing);
        services?.Invoke(builder);
        if (configure is not null)
        {
            connection.Change(configure);
        }

        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = protocols;
                listen.Use(next => context =>
                {
                    context.Features.Set<IInboundConnection>(connection.Of(context));
                    return next(context);
                });
            });
            server?.Invoke(kestrel);
        });
        var app = builder.Build();
        var host = new DoorHost(app, connection);
        app.Use((context, next) => RequestFraming.Check(context) is { } reply ? RequestFraming.RefuseAsync(context, reply) : next(context));
        app.Use(ServerDoor.InvokeAsync);
        app.Use((context, next) =>
        {
            lock (host.Requests)
            {
                host.Requests.Add(Served.Of(context));
            }

            return next(context);
        });
        if (application is null)
        {
            app.Run(context => context.Response.WriteAsync(context.Request.Path.Value!));
        }
        else
        {
            app.UseRouting();
            application(app);
        }

        await app.StartAsync();
        return host;
    }

    /// <summary>A listener's connection manager, as gRPC servers and Mesh get it, with filters before the router.</summary>
    public static HttpConnectionManager Manager(params (string Name, IMessage Config)[] filters) => new()
    {
        StatPrefix = "inbound",
        RouteConfig = new RouteConfiguration
        {
            Name = "inbound",
            VirtualHosts = { new VirtualHost { Name = "inbound|http|80", Domains = { "*" }, Routes = { new Route { Match = new RouteMatch { Prefix = "/" }, NonForwardingAction = new() } } } },
        },
        HttpFilters =
        {
            filters.Select(f => new HttpFilter { Name = f.Name, TypedConfig = Any.Pack(f.Config) })
                .Append(new HttpFilter { Name = "envoy.filters.http.router", TypedConfig = Any.Pack(new Router()) }),
        },
    };

    /// <summary>Another version of the listener.</summary>
    public void Change(Action<HttpConnectionManager> configure) => _connection.Change(configure);

    public HttpClient Client(Version? version = null) => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false })
    {
        BaseAddress = new Uri($"http://{EndPoint}"),
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Sends a request with headers, and reads the response to its end.</summary>
    public async Task<Answer> SendAsync(string target, params (string Name, string Value)[] headers) => await SendAsync("GET", target, null, headers);

    public async Task<Answer> SendAsync(string method, string target, string? body, params (string Name, string Value)[] headers)
    {
        var text = new StringBuilder($"{method} {target} HTTP/1.1\r\n");
        if (!headers.Any(h => h.Name.Equals("host", StringComparison.OrdinalIgnoreCase)))
        {
            text.Append("Host: reviews:9080\r\n");
        }

        foreach (var (name, value) in headers)
        {
            text.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        if (body is not null)
        {
            text.Append($"Content-Length: {body.Length}\r\n");
        }

        return await SendRawAsync(text.Append("Connection: close\r\n\r\n").Append(body).ToString(), method == "HEAD");
    }

    /// <summary>Sends bytes as they are, and reads until the server closes the connection.</summary>
    public async Task<Answer> SendRawAsync(string request, bool isHead = false)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        await socket.ConnectAsync(EndPoint, deadline.Token);
        await socket.SendAsync(Encoding.Latin1.GetBytes(request), deadline.Token);
        var bytes = new MemoryStream();
        var chunk = new byte[8192];
        for (int read; (read = await socket.ReceiveAsync(chunk, deadline.Token)) > 0;)
        {
            bytes.Write(chunk, 0, read);
        }

        return Answer.Parse(Encoding.Latin1.GetString(bytes.ToArray()), isHead);
    }

    /// <summary>What its requests told at their ends.</summary>
    public RecordLedger Records => _connection.Records;

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();

        // What Kestrel has aborted it does not wait for for long.
        for (var ended = Records.Ended.Count; Records.Open > 0; ended = Records.Ended.Count)
        {
            await Records.EndedAsync(ended + 1).WaitAsync(TimeSpan.FromSeconds(30));
        }

        // Whatever a test is about: a request that is over is told of, once.
        Records.Confused.ShouldBe(0);
        Records.Open.ShouldBe(0);
    }

    private static FilterTypes Types(bool caseInsensitivePaths)
        => new([], new ServiceCollection().Configure<MeshOptions>(o => o.Server.CaseInsensitivePaths = caseInsensitivePaths).BuildServiceProvider());

    /// <summary>A connection of the listener's, which the next request on it sees as it is by then.</summary>
    private sealed class Connection(FilterTypes types, Func<ConnectionFacts, ConnectionFacts> facts, bool caseInsensitivePaths, MeshAccessLogs? logs, MeshTracing? tracing)
    {
        private volatile InboundHttpTable? _table;

        public void Change(Action<HttpConnectionManager> configure)
        {
            var manager = Manager();
            configure(manager);
            _table = new InboundHttpTable(
                InboundHttpCompiler.Compile(Any.Pack(manager), "hcm", types, []),
                new FilterServices(TimeProvider.System, SystemRandomSource.Instance)
                {
                    CaseInsensitivePaths = caseInsensitivePaths,
                    Telemetry = new MeshTelemetry(TimeProvider.System, [Records]) { AccessLogs = logs, Tracing = tracing ?? new MeshTracing(TimeProvider.System) },
                });
        }

        public RecordLedger Records { get; } = new();

        public IInboundConnection Of(ConnectionContext context)
            => new OfKestrel(this, facts(new ConnectionFacts { RemoteEndPoint = (IPEndPoint)context.RemoteEndPoint!, LocalEndPoint = (IPEndPoint)context.LocalEndPoint! }));

        private sealed class OfKestrel(Connection owner, ConnectionFacts facts) : IInboundConnection
        {
            public ConnectionFacts Facts => facts;

            public InboundHttpTable? Http => owner._table;
        }
    }
}
