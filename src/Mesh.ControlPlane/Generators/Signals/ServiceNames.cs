using Mesh.ControlPlane.Model;
using TracingServiceName = Istio.Mesh.V1Alpha1.ProxyConfig.Types.TracingServiceName;
using ClusterNameCase = Istio.Mesh.V1Alpha1.ProxyConfig.ClusterNameOneofCase;

namespace Mesh.ControlPlane.Generators.Signals;

/// <summary>The name of the service that spans are of.</summary>
internal static class ServiceNames
{
    private const string Unknown = "unknown_service";

    /// <summary>As Istio's bootstrap makes it: <c>app.namespace</c>, or what <c>tracingServiceName</c> says.</summary>
    public static string Of(Proxy proxy, WorkloadProxyConfig own)
    {
        var config = own.Config;
        return config.ClusterNameCase switch
        {
            ClusterNameCase.ServiceCluster => config.ServiceCluster,
            ClusterNameCase.TracingServiceName when config.TracingServiceName == TracingServiceName.CanonicalNameOnly => proxy.CanonicalName,
            ClusterNameCase.TracingServiceName when config.TracingServiceName == TracingServiceName.CanonicalNameAndNamespace => $"{proxy.CanonicalName}.{proxy.Namespace}",
            _ when proxy.Labels.TryGetValue("app", out var app) && app.Length > 0 => $"{app}.{proxy.Namespace}",
            _ when proxy.ServiceCluster.Length > 0 => proxy.ServiceCluster,
            _ => $"{proxy.WorkloadName}.{proxy.Namespace}",
        };
    }

    /// <summary>As OpenTelemetry's conventions for workloads of a cluster have it.</summary>
    public static string OfConventions(Proxy proxy)
        => proxy.Labels.GetValueOrDefault("app.kubernetes.io/instance")
            ?? proxy.Labels.GetValueOrDefault("app.kubernetes.io/name")
            ?? (proxy.WorkloadName.Length > 0 ? proxy.WorkloadName : Unknown);
}
