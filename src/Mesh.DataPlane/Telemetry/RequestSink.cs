namespace Mesh.DataPlane.Telemetry;

/// <summary>Is told of each request when it is over: metrics, access logs, load reports.</summary>
internal abstract class RequestSink
{
    /// <summary>Whether <see cref="RequestRecord.Metadata"/> is of interest; nobody keeps it for others.</summary>
    public virtual bool ReadsMetadata => false;

    /// <summary>The request is about to be carried out: whatever has to be read of it before others change it.</summary>
    public virtual void OnBegin(RequestRecord record)
    {
    }

    /// <summary>The request is over. Called exactly once; neither the record nor what hangs on it may be kept. Must not block, and must not throw.</summary>
    public abstract void OnEnd(RequestRecord record);
}
