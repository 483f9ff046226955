using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Analysis;

/// <summary>Finds the service behind a host as a rule names it: exactly, or below a wildcard host.</summary>
internal static class HostLookup
{
    public static MeshService? Find(ConfigIndex config, string @namespace, string host)
        => Hostname.Covering(host).Select(key => config.FindService(@namespace, key)).FirstOrDefault(service => service is not null);

    /// <summary>What could be meant instead, for the message: the same name in another namespace.</summary>
    public static string Suggestion(ConfigIndex config, string host, string clusterDomain)
    {
        var name = host.Split('.', 2)[0];
        var other = config.Services.FirstOrDefault(service => service.Name == name && service.Host.EndsWith($".svc.{clusterDomain}", StringComparison.Ordinal));
        return other is null
            ? "declare a Service or ServiceEntry for it, or correct the name"
            : $"did you mean {other.Host}? A short name belongs to the namespace of the document that it is written in";
    }
}
