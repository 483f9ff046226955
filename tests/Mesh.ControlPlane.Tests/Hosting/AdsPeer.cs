using System.Collections.Concurrent;
using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Mesh.Xds.Ads;

namespace Mesh.ControlPlane.Tests.Hosting;

/// <summary>A client on an incremental stream that acknowledges whatever it gets and lets a test wait for what it needs.</summary>
internal sealed class AdsPeer : IAsyncDisposable
{
    private static readonly TimeSpan Guard = TimeSpan.FromSeconds(30);

    private readonly IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> _call;
    private readonly SemaphoreSlim _writing = new(1);
    private readonly ConcurrentDictionary<(string TypeUrl, string Name), Any?> _resources = new();
    private readonly SemaphoreSlim _changed = new(0);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Node? _node;
    private Task _reading = Task.CompletedTask;

    private AdsPeer(IAdsCall<DeltaDiscoveryRequest, DeltaDiscoveryResponse> call, Node node)
    {
        _call = call;
        _node = node;
    }

    /// <summary>While set, responses that come are acknowledged when it completes.</summary>
    public TaskCompletionSource? HoldAcks { get; set; }

    /// <summary>Says why a response is refused; <see langword="null"/>: it is not.</summary>
    public Func<DeltaDiscoveryResponse, string?>? Refuse { get; set; }

    /// <summary>Completes when the control plane confirms that nobody calls this workload any more.</summary>
    public Task Drained => _drained.Task;

    public static async Task<AdsPeer> ConnectAsync(IAdsTransport transport, Node node)
    {
        var peer = new AdsPeer(await transport.OpenDeltaStreamAsync(CancellationToken.None), node);
        peer._reading = peer.ReadAsync();
        return peer;
    }

    public Task SubscribeAsync(string typeUrl, params string[] names)
        => SendAsync(new DeltaDiscoveryRequest { TypeUrl = typeUrl, ResourceNamesSubscribe = { names } });

    public Task ReportAsync(bool healthy)
        => SendAsync(new DeltaDiscoveryRequest
        {
            TypeUrl = TypeUrls.HealthInformation,
            ErrorDetail = healthy ? null : new Google.Rpc.Status { Code = 14, Message = "stopping" },
        });

    /// <summary>Waits until a resource is there and satisfies a condition.</summary>
    public async Task<T> WaitForAsync<T>(string typeUrl, string name, Predicate<T>? condition = null)
        where T : class, IMessage, new()
    {
        while (true)
        {
            if (_resources.TryGetValue((typeUrl, name), out var any) && any?.Unpack<T>() is { } message && (condition is null || condition(message)))
            {
                return message;
            }

            (await _changed.WaitAsync(Guard)).ShouldBeTrue($"{typeUrl} {name} has not come");
        }
    }

    /// <summary>Waits until a name is known not to exist.</summary>
    public async Task WaitForAbsenceAsync(string typeUrl, string name)
    {
        while (!_resources.TryGetValue((typeUrl, name), out var any) || any is not null)
        {
            (await _changed.WaitAsync(Guard)).ShouldBeTrue($"{typeUrl} {name} has not gone");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _call.DisposeAsync();
        await _reading.WaitAsync(Guard);
    }

    private async Task ReadAsync()
    {
        try
        {
            while (await _call.ReadAsync(CancellationToken.None) is { } response)
            {
                // Before the test can see the response: what it sets then is for the next.
                var (hold, refusal) = (HoldAcks, Refuse?.Invoke(response));
                foreach (var resource in response.Resources)
                {
                    _resources[(response.TypeUrl, resource.Name)] = resource.Resource_;
                }

                foreach (var name in response.RemovedResources)
                {
                    _resources[(response.TypeUrl, name)] = null;
                }

                if (response is { TypeUrl: TypeUrls.HealthInformation, SystemVersionInfo: "unhealthy" })
                {
                    _drained.TrySetResult();
                }

                _changed.Release();
                if (hold is not null)
                {
                    await hold.Task;
                }

                await SendAsync(new DeltaDiscoveryRequest
                {
                    TypeUrl = response.TypeUrl,
                    ResponseNonce = response.Nonce,
                    ErrorDetail = refusal is { } reason ? new Google.Rpc.Status { Code = 3, Message = reason } : null,
                });
            }
        }
        catch (Exception e) when (e is Mesh.Xds.Grpc.RpcException or OperationCanceledException)
        {
            // The stream is over.
        }
    }

    private async Task SendAsync(DeltaDiscoveryRequest request)
    {
        (await _writing.WaitAsync(Guard)).ShouldBeTrue();
        try
        {
            request.Node = _node;
            _node = null;
            await _call.WriteAsync(request, CancellationToken.None);
        }
        finally
        {
            _writing.Release();
        }
    }
}
