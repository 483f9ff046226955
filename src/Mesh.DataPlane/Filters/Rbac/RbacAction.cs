namespace Mesh.DataPlane.Filters.Rbac;

/// <summary>What a match means.</summary>
internal enum RbacAction
{
    /// <summary>What matches may pass, and nothing else.</summary>
    Allow,

    /// <summary>What matches may not pass, and everything else may.</summary>
    Deny,

    /// <summary>Everything may pass; what matches is to be logged.</summary>
    Log,
}
