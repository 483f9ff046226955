namespace Mesh.DataPlane.Identity;

/// <summary>Where the process's certificate and its authorities come from.</summary>
internal interface IIdentitySource
{
    /// <summary>What it is, for people: <c>the certificate authority https://…</c>.</summary>
    string Description { get; }

    /// <summary>Brings the secrets and keeps them fresh until it is told to end. Whatever fails is tried again; the last good ones stay.</summary>
    /// <param name="identity">Takes what comes.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task RunAsync(WorkloadIdentity identity, CancellationToken cancellationToken);
}
