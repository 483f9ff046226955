using Mesh.Xds.Certificates;

namespace Mesh.Xds.Serving;

/// <summary>The pages on which a control plane shows what it knows, as istiod's <c>/debug</c>: for those who may read its status.</summary>
internal interface IControlPlaneDebug
{
    /// <summary>Every page: its name, and what it shows.</summary>
    IReadOnlyList<(string Name, string Summary)> Pages { get; }

    /// <summary>One page.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="page">Its name, as in the path.</param>
    /// <param name="query">The value of a parameter; <see langword="null"/>: it is not there.</param>
    AdminReply Read(CallerCredentials caller, string page, Func<string, string?> query);

    /// <summary>Whether a caller may see what else there is to see: the list of pages, and metrics.</summary>
    bool MayRead(CallerCredentials caller, string what);
}
