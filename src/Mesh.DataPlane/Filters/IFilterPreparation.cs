namespace Mesh.DataPlane.Filters;

/// <summary>What filters of one configuration keep going beside the requests, as long as a listener has them.</summary>
internal interface IFilterPreparation : IDisposable
{
    /// <summary>They may run.</summary>
    bool IsReady { get; }
}
