using Mesh.ControlPlane.Config;
using Mesh.ControlPlane.Issuers;
using Mesh.Xds.Serving;

namespace Mesh.ControlPlane.Model;

/// <summary>Turns what changed into the next model and the names of the resources that it may touch. Used by one thread at a time.</summary>
internal sealed class MeshModelBuilder(string clusterDomain, bool retry503 = false, OpenIdDiscovery? issuers = null)
{
    private readonly ConfigIndexBuilder _indexes = new(clusterDomain, retry503, issuers);
    private readonly EndpointIndex _endpoints = new();

    public MeshModel Model { get; private set; } = MeshModel.Empty(clusterDomain);

    /// <summary>Takes over changed documents and workloads.</summary>
    /// <param name="snapshot">The documents, or <see langword="null"/> when they are unchanged.</param>
    /// <param name="workloads">The workloads that came, went (<see langword="null"/>) or changed, by id.</param>
    /// <param name="diagnostics">Receives what is wrong within single documents, when there is a snapshot.</param>
    /// <returns>What to push, or <see langword="null"/> when no resource can differ.</returns>
    public AdsChange? Update(ConfigSnapshot? snapshot, IReadOnlyDictionary<string, WorkloadInstance?> workloads, ModelDiagnostics diagnostics)
    {
        var before = Model.Config;
        var config = before;
        var changedEndpoints = new HashSet<string>(StringComparer.Ordinal);
        if (snapshot is not null)
        {
            config = _indexes.Build(snapshot, diagnostics);
            _endpoints.Apply(config, changedEndpoints);
        }

        foreach (var (id, workload) in workloads)
        {
            _endpoints.Apply(id, workload, changedEndpoints);
        }

        var served = Model;
        Model = new MeshModel(config, _endpoints.Endpoints);
        var changedAccounts = changedEndpoints.Where(key => !ReferenceEquals(AccountsOf(served, key), AccountsOf(Model, key))).ToHashSet(StringComparer.Ordinal);
        return ModelDiff.Between(before, config, changedEndpoints, changedAccounts);

        static IReadOnlyList<string> AccountsOf(MeshModel model, string key) => model.Endpoints.GetValueOrDefault(key, ServiceEndpoints.Empty).Accounts;
    }
}
