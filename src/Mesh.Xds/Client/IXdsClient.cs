using Envoy.Service.LoadStats.V3;
using Mesh.Xds.Ads;

namespace Mesh.Xds.Client;

/// <summary>The ADS client as the rest of the house sees it.</summary>
internal interface IXdsClient : IAsyncDisposable
{
    /// <summary>
    /// Watches one resource, or all of a kind with the name <c>*</c> (then the watcher is called for each). The first watcher subscribes,
    /// disposing the last one unsubscribes. What is cached is delivered at once, in order: resource, then error.
    /// </summary>
    /// <remarks>
    /// May be called from within a watcher's callback: subscriptions made while a response is being delivered are sent BEFORE that
    /// response's ACK, so that a server that has all its ACKs knows that nothing more will be asked for because of them.
    /// </remarks>
    IDisposable Watch<T>(ResourceType<T> type, string name, IResourceWatcher<T> watcher)
        where T : class;

    /// <summary>Called on the serializer after every watcher has seen one whole response, before its ACK is sent: the moment to publish what changed together.</summary>
    event Action? ResponseDelivered;

    /// <summary>Tells the control plane whether this workload is ready for traffic (<c>istio.v1.HealthInformation</c>); repeated on every new stream.</summary>
    void ReportHealth(bool healthy, string? message = null);

    /// <summary>Replaces the metadata of the node; takes effect by opening a new stream when one is open (Node travels only on the first request).</summary>
    void UpdateNode(Action<Envoy.Config.Core.V3.Node> change);

    /// <summary>Completes when the control plane has confirmed that every client has stopped using this workload, or has said that it cannot tell.</summary>
    Task WhenDrainedAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Whether every name that is asked for will be answered, be it by "there is none": the incremental variant says so at once, and no server is
    /// known to be out of reach.
    /// </summary>
    bool AnswersEveryName => false;

    /// <summary>Who this process is; the node of the next stream. Not to be changed.</summary>
    Envoy.Config.Core.V3.Node Node => new();

    /// <summary>What the server that is spoken to calls itself (<c>control_plane.identifier</c>); <see langword="null"/> while none has answered.</summary>
    string? ControlPlane => null;

    /// <summary>How many streams to control planes have been opened so far.</summary>
    long StreamsOpened => 0;

    /// <summary>Opens a stream for load reports (LRS) to the server that is spoken to: the same connection, and the same credentials.</summary>
    /// <exception cref="Grpc.RpcException">UNAVAILABLE: none is spoken to; UNIMPLEMENTED: it takes none.</exception>
    ValueTask<IAdsCall<LoadStatsRequest, LoadStatsResponse>> OpenLoadStreamAsync(CancellationToken cancellationToken)
        => throw new Grpc.RpcException(Grpc.StatusCode.Unimplemented, "no load is reported here");

    /// <summary>What the client believes right now, for logs, status pages and tests.</summary>
    XdsClientStatus Status { get; }
}
