using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using System.Reflection;

namespace Mesh.Xds.Bootstrap;

/// <summary>What tells this process from others of the same workload.</summary>
/// <param name="WorkloadName">The workload's name.</param>
/// <param name="PodName">Unique in its namespace.</param>
/// <param name="Address">The address that others reach it by.</param>
internal sealed record WorkloadInstance(string WorkloadName, string PodName, IPAddress Address)
{
    private static readonly ConcurrentDictionary<string, int> Detected = new(StringComparer.Ordinal);

    /// <summary>In Kubernetes the downward API says it, in the variables that Istio's injection sets; elsewhere machine and process do.</summary>
    public static WorkloadInstance Detect(MeshWorkload workload, Func<string, string?> environment)
    {
        var name = workload.Name ?? Assembly.GetEntryAssembly()?.GetName().Name ?? "unknown";
        var pod = environment("POD_NAME") is { Length: > 0 } podName
            ? podName
            : UniqueName(string.Create(CultureInfo.InvariantCulture, $"{name}-{Environment.MachineName}-{Environment.ProcessId}").ToLowerInvariant());
        return new WorkloadInstance(
            environment("ISTIO_META_WORKLOAD_NAME") is { Length: > 0 } istioName ? istioName : name,
            pod.Replace('~', '-'),
            IPAddress.TryParse(environment("INSTANCE_IP") ?? environment("POD_IP"), out var address) ? address : FindAddress());
    }

    // Several hosts in one process (tests, workers) are several workloads: with one id the second would take the place of the first.
    private static string UniqueName(string process)
    {
        var number = Detected.AddOrUpdate(process, 1, static (_, last) => last + 1);
        return number == 1 ? process : string.Create(CultureInfo.InvariantCulture, $"{process}-{number}");
    }

    private static IPAddress FindAddress()
    {
        try
        {
            var addresses = NetworkInterface.GetAllNetworkInterfaces()
                .Where(i => i.OperationalStatus == OperationalStatus.Up && i.NetworkInterfaceType != NetworkInterfaceType.Loopback)
                .SelectMany(i => i.GetIPProperties().UnicastAddresses)
                .Select(a => a.Address)
                .Where(a => !IPAddress.IsLoopback(a) && !a.IsIPv6LinkLocal)
                .ToList();
            return addresses.Find(a => a.AddressFamily == AddressFamily.InterNetwork) ?? addresses.FirstOrDefault() ?? IPAddress.Loopback;
        }
        catch (NetworkInformationException)
        {
            return IPAddress.Loopback;
        }
    }
}
