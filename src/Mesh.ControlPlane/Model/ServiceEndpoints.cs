namespace Mesh.ControlPlane.Model;

/// <summary>Who serves a service right now, in the order of <see cref="WorkloadInstance.Id"/>; replaced whole when one of them changes.</summary>
internal sealed class ServiceEndpoints
{
    /// <param name="instances">Who serves.</param>
    /// <param name="before">Who served until now.</param>
    public ServiceEndpoints(IReadOnlyList<WorkloadInstance> instances, ServiceEndpoints? before = null)
    {
        Instances = instances;
        string[] accounts = [.. instances.Select(instance => instance.Identity).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        Accounts = before is not null && before.Accounts.SequenceEqual(accounts) ? before.Accounts : accounts;
    }

    public static ServiceEndpoints Empty { get; } = new([]);

    public IReadOnlyList<WorkloadInstance> Instances { get; }

    /// <summary>The accounts that they run as: whom clients believe. The same object as long as they are the same.</summary>
    public IReadOnlyList<string> Accounts { get; }
}
