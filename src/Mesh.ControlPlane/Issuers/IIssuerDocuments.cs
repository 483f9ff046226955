namespace Mesh.ControlPlane.Issuers;

/// <summary>What issuers of tokens publish of themselves.</summary>
internal interface IIssuerDocuments
{
    /// <summary>Fetches a document.</summary>
    /// <param name="address">Where it is.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="IssuerException">It cannot be had.</exception>
    Task<byte[]> GetAsync(Uri address, CancellationToken cancellationToken);
}
