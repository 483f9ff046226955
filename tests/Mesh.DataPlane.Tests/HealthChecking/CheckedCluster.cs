using System.Net;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Mesh.DataPlane.Clusters;
using Mesh.DataPlane.Dns;
using Mesh.DataPlane.LoadBalancing;
using Mesh.DataPlane.Resources;
using Mesh.DataPlane.Tests.Dns;
using Mesh.DataPlane.Transports;
using Mesh.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.DataPlane.Tests.HealthChecking;

/// <summary>A cluster with active health checks as the engine makes it; where no transports are given, hosts answer as the test says, in virtual time.</summary>
internal sealed class CheckedCluster : IDisposable
{
    private readonly Lock _sync = new();
    private readonly ScriptedXdsClient _xds = new();
    private readonly ClusterRegistry _clusters;

    public CheckedCluster(Action<HealthCheck>? check = null, Action<Envoy.Config.Cluster.V3.Cluster>? change = null, TimeProvider? time = null, IEndpointTransportFactory? transports = null)
    {
        Time = time as ManualTimeProvider ?? new ManualTimeProvider();
        var dns = new DnsDiscovery(new ScriptedResolver(Time), new EvenRandomSource(4), Time, NullLogger.Instance);
        _clusters = new ClusterRegistry(
            _xds, transports ?? new AnsweringTransports(this), dns, new EvenRandomSource(4), time ?? Time, new ResourceNotes(NullLogger.Instance), NullLogger.Instance, _sync);
        SetCluster(check, change);
        lock (_sync)
        {
            Cluster = _clusters.Acquire("c");
        }
    }

    public ManualTimeProvider Time { get; }

    public Cluster Cluster { get; }

    /// <summary>How each port answers in virtual time: a status, 0 for a broken connection, −1 for no answer.</summary>
    public Dictionary<int, int> Answers { get; } = [];

    /// <summary>Added to every answer.</summary>
    public (string Name, string Value)? AnsweredHeader { get; set; }

    public int Checks { get; private set; }

    public IReadOnlyList<Endpoint> Endpoints => Cluster.Current.Endpoints.Endpoints;

    public int[] Healthy => [.. Endpoints.Where(e => e.Health != EndpointHealth.Unhealthy).Select(e => ((IPEndPoint)e.Resource.Address).Port).Order()];

    public void SetCluster(Action<HealthCheck>? check = null, Action<Envoy.Config.Cluster.V3.Cluster>? change = null)
    {
        var cluster = Resources.Cluster("c");
        var message = new HealthCheck
        {
            Timeout = Seconds(1),
            Interval = Seconds(10),
            NoTrafficInterval = Seconds(10),
            UnhealthyThreshold = 3,
            HealthyThreshold = 2,
            HttpHealthCheck = new HealthCheck.Types.HttpHealthCheck { Path = "/health" },
        };
        check?.Invoke(message);
        cluster.HealthChecks.Add(message);
        cluster.CommonLbConfig = new Envoy.Config.Cluster.V3.Cluster.Types.CommonLbConfig { HealthyPanicThreshold = new() };
        change?.Invoke(cluster);
        _xds.Set(ClusterType.Instance, cluster);
    }

    public void SetHosts(params int[] ports) => SetHosts(Resources.Endpoints("c", ports));

    public void SetHosts(Envoy.Config.Endpoint.V3.ClusterLoadAssignment endpoints) => _xds.Set(EndpointsType.Instance, endpoints);

    /// <summary>Moves the clock; what follows from a timer has happened when it returns, since nothing is sent to the test's own context.</summary>
    public void Advance(double seconds)
    {
        var context = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Time.Advance(TimeSpan.FromSeconds(seconds));
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
        }
    }

    /// <summary>Waits for real sockets.</summary>
    public async Task WaitForAnswerAsync() => await Cluster.Answered.WaitAsync(TimeSpan.FromSeconds(30));

    public void Dispose()
    {
        lock (_sync)
        {
            _clusters.Release(Cluster);
        }
    }

    public static Duration Seconds(double seconds) => Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds));

    private sealed class AnsweringTransports(CheckedCluster owner) : IEndpointTransportFactory
    {
        public IEndpointTransport Create(Cluster cluster, EndpointResource endpoint, TransportSettings settings) => new Transport(owner, ((IPEndPoint)endpoint.Address).Port);
    }

    private sealed class Transport(CheckedCluster owner, int port) : IEndpointTransport
    {
        public async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            owner.Checks++;
            var status = owner.Answers.GetValueOrDefault(port, 200);
            if (status < 0)
            {
                // On the thread that moves the clock.
                var never = new TaskCompletionSource();
                await using var cancelling = cancellationToken.Register(never.SetCanceled);
                await never.Task.ConfigureAwait(false);
            }

            if (status == 0)
            {
                throw new HttpRequestException("broken");
            }

            var response = new HttpResponseMessage((HttpStatusCode)status);
            if (owner.AnsweredHeader is var (name, value))
            {
                response.Headers.TryAddWithoutValidation(name, value);
            }

            return response;
        }

        public void Dispose()
        {
        }
    }
}
