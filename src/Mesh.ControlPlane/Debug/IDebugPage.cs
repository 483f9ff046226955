using System.Text.Json.Nodes;

namespace Mesh.ControlPlane.Debug;

/// <summary>One page under <c>/debug</c>.</summary>
internal interface IDebugPage
{
    /// <summary>Its name in the path; istiod's where istiod has one for the same thing.</summary>
    string Name { get; }

    /// <summary>What it shows, with its parameters.</summary>
    string Summary { get; }

    /// <summary>What is there now.</summary>
    /// <exception cref="DebugQueryException">The query asks for something that is not there, or is not understood.</exception>
    JsonNode Read(DebugQuery query);
}
