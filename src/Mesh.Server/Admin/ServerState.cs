using Mesh.DataPlane;
using Mesh.DataPlane.Identity;
using Mesh.DataPlane.Inbound;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Mesh.Server.Admin;

/// <summary>How far the process is, in Envoy's words.</summary>
internal sealed class ServerState(IServiceProvider services, TimeProvider time)
{
    public const string Live = "LIVE";

    private readonly long _began = time.GetTimestamp();

    public TimeSpan Uptime => time.GetElapsedTime(_began);

    /// <summary><c>PRE_INITIALIZING</c>, <c>INITIALIZING</c>, <c>LIVE</c> or <c>DRAINING</c>; and what is waited for.</summary>
    public (string State, string? Reason) Current
    {
        get
        {
            var lifetime = services.GetService<IHostApplicationLifetime>();
            if (lifetime is { ApplicationStopping.IsCancellationRequested: true })
            {
                return ("DRAINING", "the application is stopping");
            }

            if (services.GetService<WorkloadRegistration>() is { IsDraining: true })
            {
                return ("DRAINING", "the workload has been taken out of the mesh by /drain_listeners");
            }

            if (lifetime is { ApplicationStarted.IsCancellationRequested: false })
            {
                return ("PRE_INITIALIZING", "the application has not started yet");
            }

            return Missing() is { } reason ? ("INITIALIZING", reason) : (Live, null);
        }
    }

    // Losing the control plane changes nothing for a process that has its configuration, and is no reason to be taken out.
    private string? Missing()
    {
        if (services.GetRequiredService<MeshEngine>().Identity is WorkloadIdentity { IsReady: false } identity)
        {
            return $"the workload has no identity: {identity.Status.LastError ?? "it has not come yet"}";
        }

        var port = services.GetService<InboundPorts>()?.Open.FirstOrDefault(p => p.Current is null);
        return port is null ? null : $"nobody is let in at {port.EndPoint}: {port.Refusal ?? "its listener has not come yet"}";
    }
}
