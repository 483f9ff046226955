using Mesh.Xds.Certificates;

namespace Mesh.Xds.Serving;

/// <summary>What may be asked of a control plane, and changed, by those who have the role for it.</summary>
internal interface IControlPlaneAdmin
{
    /// <summary>Who is connected, and what was sent to whom.</summary>
    AdminReply Status(CallerCredentials caller);

    /// <summary>Begins the change to another root.</summary>
    AdminReply BeginRootRotation(CallerCredentials caller);

    /// <summary>Writes a file of documents, if all of them are valid.</summary>
    AdminReply PutConfig(CallerCredentials caller, string file, string yaml);

    /// <summary>Deletes a file of documents.</summary>
    AdminReply DeleteConfig(CallerCredentials caller, string file);
}

/// <summary>An answer over HTTP.</summary>
/// <param name="StatusCode">Its status.</param>
/// <param name="Json">Its body; <see langword="null"/>: none.</param>
internal readonly record struct AdminReply(int StatusCode, string? Json = null);
