using System.Net;
using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Config.Sources;
using Mesh.ControlPlane.Discovery;
using Mesh.ControlPlane.Registry;
using Mesh.Xds.Serving;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Testing;

/// <summary>
/// A service mesh inside a test: Istio YAML goes in, and every request that an application sends is routed as it would be in production. The
/// control plane, the protocol and the engine are those of production; sockets, time and chance are the test's.
/// </summary>
public sealed class MeshTestHost : IAsyncDisposable
{
    private const string ClusterDomain = "cluster.local";

    private readonly MeshTestOptions _options;
    private readonly TimeProvider _time;
    private readonly InMemoryConfigSource _source;
    private readonly ServiceProvider _controlPlane;
    private readonly DiscoveryServer _discovery;
    private readonly IAdsServer _server;
    private readonly EndpointDirectory _endpoints = new();
    private readonly NameDirectory _names = new();
    private readonly OutsideDirectory _outside = new();
    private readonly EngineRegistry _engines = new();
    private readonly ClientApplications _clients;
    private readonly ApplicationWiring _wiring;
    private readonly Settlement _settlement;
    private bool _isDisposed;

    private MeshTestHost(MeshTestOptions options)
    {
        _options = options;
        _time = options.TimeProvider ?? new ManualTimeProvider();
        Decisions = new MeshDecisionLog(options.MaxDecisions);
        _source = new InMemoryConfigSource(_time, ConfigReaderOptions.Default);

        var services = new ServiceCollection();
        services.AddLogging();
        services.AddSingleton(options.LoggerFactory ?? NullLoggerFactory.Instance);
        services.AddSingleton(_time);
        services.AddSingleton<IConfigSource>(_source);
        services.AddMeshControlPlane(o =>
        {
            // Nothing here waits for time to pass: it may stand still.
            o.PushDebounce = TimeSpan.Zero;
            o.PushDebounceMax = TimeSpan.Zero;
            o.DisconnectGrace = TimeSpan.Zero;
            o.RestartGrace = TimeSpan.Zero;
            o.RegistrationsFile = "";
            o.ClusterDomain = ClusterDomain;
        });
        _controlPlane = services.BuildServiceProvider();
        _server = _controlPlane.GetRequiredService<IAdsServer>();
        _discovery = _controlPlane.GetRequiredService<DiscoveryServer>();
        _settlement = new Settlement(_discovery, _server, _engines);
        _wiring = new ApplicationWiring(
            _server,
            new InMemoryTransportFactory(_endpoints),
            _names,
            options.Random ?? new SeededRandomSource(options.Seed),
            _time,
            Decisions,
            _endpoints,
            _engines);
        _clients = new ClientApplications(_wiring, _outside, options.OutboundTrafficPolicy, options.LoggerFactory ?? NullLoggerFactory.Instance);
    }

    /// <summary>What was decided, for every client of this mesh: why did this request go there?</summary>
    public MeshDecisionLog Decisions { get; }

    /// <summary>The clock of the mesh, which stands still until the test moves it.</summary>
    /// <exception cref="InvalidOperationException"><see cref="MeshTestOptions.TimeProvider"/> is another kind of clock.</exception>
    public ManualTimeProvider Time
        => _time as ManualTimeProvider
            ?? throw new InvalidOperationException($"The clock of this mesh is the test's own {_time.GetType().Name}; move that one.");

    /// <summary>What the control plane says about the documents that apply, such as a route to a subset that no DestinationRule defines.</summary>
    public IReadOnlyList<string> Diagnostics => [.. _controlPlane.GetRequiredService<IConfigStore>().Diagnostics.Select(d => d.ToString())];

    /// <summary>Starts a mesh from Istio YAML.</summary>
    /// <param name="yaml">Any number of documents: Service, ServiceEntry, WorkloadEntry, DestinationRule, VirtualService, Sidecar.</param>
    /// <param name="configure">Changes how the mesh keeps time, draws chance and remembers.</param>
    /// <exception cref="MeshConfigException">Some documents cannot be used; it tells of all of them.</exception>
    public static async Task<MeshTestHost> StartAsync(string yaml, Action<MeshTestOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        var options = new MeshTestOptions();
        configure?.Invoke(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxDecisions, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(options.SettleTimeout, TimeSpan.Zero);
        var mesh = new MeshTestHost(options);
        try
        {
            mesh.Apply(yaml);
            return mesh;
        }
        catch
        {
            await mesh.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>
    /// Adds or changes documents, as <c>kubectl apply</c> does. Clients follow at the latest when <see cref="SettledAsync"/> completes.
    /// </summary>
    /// <param name="yaml">Any number of documents.</param>
    /// <exception cref="MeshConfigException">
    /// Some documents cannot be used; it tells of all of them. The others apply, and those keep their last good version.
    /// </exception>
    public void Apply(string yaml)
    {
        ArgumentNullException.ThrowIfNull(yaml);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var diagnostics = _source.Apply(yaml);
        Publish();
        if (diagnostics.Any(d => d.Severity == ConfigSeverity.Error))
        {
            throw new MeshConfigException([.. diagnostics.Where(d => d.Severity == ConfigSeverity.Error).Select(d => d.ToString())]);
        }
    }

    /// <summary>Removes a document. Clients follow at the latest when <see cref="SettledAsync"/> completes.</summary>
    /// <param name="kind">Its kind: <c>VirtualService</c>.</param>
    /// <param name="name">Its name.</param>
    /// <param name="namespace">Its namespace.</param>
    /// <exception cref="InvalidOperationException">There is no such document.</exception>
    public void Delete(string kind, string name, string @namespace = "default")
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (!_source.Delete(kind, @namespace, name))
        {
            var known = string.Join(", ", _source.Resources.Select(r => $"{r.Kind.Kind} {r.Namespace}/{r.Name}"));
            throw new InvalidOperationException(
                $"There is no {kind} {@namespace}/{name} to delete; the mesh has {(known.Length > 0 ? known : "no documents")}.");
        }

        Publish();
    }

    /// <summary>
    /// Completes when every client of this mesh has applied all that was changed before this call: documents, endpoints and their health. Does
    /// not need time to pass.
    /// </summary>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TimeoutException">
    /// Some client has not answered within <see cref="MeshTestOptions.SettleTimeout"/>; the message says which and what.
    /// </exception>
    /// <exception cref="InvalidOperationException">A client refused a part of the configuration; the message says which and why.</exception>
    public async Task SettledAsync(CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        await _settlement.WaitAsync(_options.SettleTimeout, cancellationToken).ConfigureAwait(false);
        _settlement.ThrowIfRefused();
    }

    /// <summary>Adds a workload that is a handler; the services whose selector fits its labels have it as an endpoint, on all their ports.</summary>
    /// <param name="app">The label <c>app</c>.</param>
    /// <param name="version">The label <c>version</c>, which subsets select by; <see langword="null"/> for none.</param>
    /// <param name="handler">Answers its requests: the handler of a <c>TestServer</c>, or any other. It stays the test's.</param>
    /// <returns>A handle to take it out again or to report it unhealthy.</returns>
    public MeshTestEndpoint AddEndpoint(string app, string? version, HttpMessageHandler handler)
        => AddEndpoint(new MeshWorkload(app) { Version = version }, handler);

    /// <inheritdoc cref="AddEndpoint(string, string?, HttpMessageHandler)"/>
    /// <param name="app">The label <c>app</c>.</param>
    /// <param name="version">The label <c>version</c>, which subsets select by; <see langword="null"/> for none.</param>
    /// <param name="respond">Answers its requests.</param>
    public MeshTestEndpoint AddEndpoint(string app, string? version, Func<HttpRequestMessage, HttpResponseMessage> respond)
    {
        ArgumentNullException.ThrowIfNull(respond);
        return AddEndpoint(app, version, new RespondingHandler(respond));
    }

    /// <inheritdoc cref="AddEndpoint(string, string?, HttpMessageHandler)"/>
    /// <param name="workload">Who it is: namespace, labels, service account, locality.</param>
    /// <param name="handler">Answers its requests: the handler of a <c>TestServer</c>, or any other. It stays the test's.</param>
    public MeshTestEndpoint AddEndpoint(MeshWorkload workload, HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(workload);
        ArgumentNullException.ThrowIfNull(handler);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var labels = workload.EffectiveLabels();
        var address = _endpoints.Add(handler, labels);
        var node = EndpointNode.Create(workload, labels, address, ClusterDomain);
        var registry = _controlPlane.GetRequiredService<ServiceRegistry>();
        var session = registry.Connect(new AdsConnectionInfo(0, null, IsInProcess: true), node, new NodeMetadata(node))
            ?? throw new InvalidOperationException($"The control plane did not take the workload {node.Id}; its log says why.");
        Publish();
        return new MeshTestEndpoint(this, session, address.ToString());
    }

    /// <summary>Lets a handler answer at an address that documents name: an endpoint of a ServiceEntry, a WorkloadEntry.</summary>
    /// <param name="address">The address: <c>10.0.0.7:8080</c>.</param>
    /// <param name="handler">Answers there. It stays the test's.</param>
    /// <exception cref="FormatException"><paramref name="address"/> is not an IP address with a port.</exception>
    public void MapAddress(string address, HttpMessageHandler handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        if (!IPEndPoint.TryParse(address, out var endpoint) || endpoint.Port == 0)
        {
            throw new FormatException($"'{address}' is not an IP address with a port; write it as 10.0.0.7:8080.");
        }

        _endpoints.Map(endpoint, handler);
    }

    /// <summary>
    /// Gives a name its addresses in the DNS of this mesh, which knows no other names: for a ServiceEntry with <c>resolution: DNS</c>. Clusters
    /// that have asked already follow when they ask again, which <see cref="Time"/> brings about.
    /// </summary>
    /// <param name="name">The name: <c>api.example.com</c>.</param>
    /// <param name="addresses">Its addresses, with a handler at each that is called (<see cref="MapAddress"/>); none when it has lost them.</param>
    /// <exception cref="FormatException">One of <paramref name="addresses"/> is not an IP address.</exception>
    public void MapName(string name, params string[] addresses)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(addresses);
        _names.Map(name, addresses.Select(IPAddress.Parse).ToList());
    }

    /// <summary>
    /// Lets a handler stand for a host outside of the mesh: what the clients of <see cref="CreateClient"/> send there comes to it when the outbound
    /// traffic policy lets it out (<see cref="MeshTestOptions.OutboundTrafficPolicy"/>).
    /// </summary>
    /// <param name="host">The host, with its port where only that one is meant: <c>api.example.com</c>, <c>api.example.com:8443</c>.</param>
    /// <param name="handler">Answers there. It stays the test's.</param>
    public void MapOutside(string host, HttpMessageHandler handler)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(host);
        ArgumentNullException.ThrowIfNull(handler);
        _outside.Map(host, handler);
    }

    /// <inheritdoc cref="MapOutside(string, HttpMessageHandler)"/>
    /// <param name="host">The host, with its port where only that one is meant: <c>api.example.com</c>, <c>api.example.com:8443</c>.</param>
    /// <param name="respond">Answers there.</param>
    public void MapOutside(string host, Func<HttpRequestMessage, HttpResponseMessage> respond)
    {
        ArgumentNullException.ThrowIfNull(respond);
        MapOutside(host, new RespondingHandler(respond));
    }

    /// <summary>
    /// A client that calls through this mesh, and never the real world: hosts that the mesh does not know are refused unless
    /// <see cref="MeshTestOptions.OutboundTrafficPolicy"/> says otherwise.
    /// </summary>
    /// <param name="baseAddress">The base address, as code writes it: <c>http://reviews:9080</c>.</param>
    /// <param name="workload">
    /// Who calls; without one <see cref="MeshTestOptions.Workload"/>. Clients of the same object share one connection to the control plane.
    /// </param>
    public HttpClient CreateClient(string baseAddress, MeshWorkload? workload = null)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var client = _clients.CreateClient(workload ?? _options.Workload);
        client.BaseAddress = new Uri(baseAddress);
        return client;
    }

    /// <summary>
    /// Puts an application into this mesh: its own <c>AddMesh()</c> or <c>AddMeshClient()</c>, called before or after this, then takes
    /// configuration, connections, time and chance from here. Made to be handed to <c>ConfigureTestServices</c>.
    /// </summary>
    /// <param name="services">The services of the application.</param>
    public void Configure(IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _wiring.Configure(services);
    }

    /// <summary>Ends the mesh and the clients that it made. Applications that it configured are the test's to end, best before.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await _clients.DisposeAsync().ConfigureAwait(false);
        await _wiring.DisposeAsync().ConfigureAwait(false);
        await _controlPlane.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Makes a change visible at once to whoever asks from now on; those who have asked already are told.</summary>
    internal void Publish() => _discovery.Apply();

    /// <summary>Completes when no client picks an endpoint any more that has gone; what else a client may have refused is not the endpoint's affair.</summary>
    internal Task WithdrawnAsync() => _isDisposed ? Task.CompletedTask : _settlement.WaitAsync(_options.SettleTimeout, CancellationToken.None);
}
