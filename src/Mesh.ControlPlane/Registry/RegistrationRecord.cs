using Mesh.ControlPlane.Model;

namespace Mesh.ControlPlane.Registry;

/// <summary>One workload as the file of registrations holds it.</summary>
internal sealed record RegistrationRecord
{
    public string? Id { get; init; }

    public string? Name { get; init; }

    public string? Namespace { get; init; }

    public Dictionary<string, string>? Labels { get; init; }

    public string? ServiceAccount { get; init; }

    public string? ClusterId { get; init; }

    public string? Locality { get; init; }

    public Dictionary<string, string>? Addresses { get; init; }

    public bool IsUsable
        => !string.IsNullOrEmpty(Id) && !string.IsNullOrEmpty(Namespace) && Addresses is { Count: > 0 }
            && Addresses.Values.All(address => NetworkAddress.TryParse(address ?? "", out _));

    public static RegistrationRecord Of(WorkloadInstance workload) => new()
    {
        Id = workload.Id,
        Name = workload.Name,
        Namespace = workload.Namespace,
        Labels = new Dictionary<string, string>(workload.Labels),
        ServiceAccount = workload.ServiceAccount,
        ClusterId = workload.ClusterId,
        Locality = workload.Locality.ToString(),
        Addresses = workload.Addresses.ToDictionary(address => address.Key, address => address.Value.ToString()),
    };

    public WorkloadInstance ToInstance() => new()
    {
        Id = Id!,
        Name = Name ?? Id!,
        Namespace = Namespace!,
        Labels = Labels ?? [],
        ServiceAccount = ServiceAccount ?? "default",
        ClusterId = ClusterId ?? "",
        Locality = MeshLocality.Parse(Locality),
        Addresses = Addresses!.ToDictionary(
            address => address.Key,
            address => NetworkAddress.TryParse(address.Value, out var parsed) ? parsed : default,
            StringComparer.Ordinal),
    };
}
