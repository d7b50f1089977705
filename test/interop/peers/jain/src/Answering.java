import java.util.Properties;
import javax.sip.DialogTerminatedEvent;
import javax.sip.IOExceptionEvent;
import javax.sip.RequestEvent;
import javax.sip.ResponseEvent;
import javax.sip.SipFactory;
import javax.sip.SipListener;
import javax.sip.SipProvider;
import javax.sip.SipStack;
import javax.sip.TimeoutEvent;
import javax.sip.TransactionTerminatedEvent;
import javax.sip.message.MessageFactory;

/** A server of JAIN SIP's reference implementation that answers OPTIONS: Answering PORT. */
public class Answering implements SipListener {
  private final MessageFactory messages;

  private Answering(MessageFactory messages) {
    this.messages = messages;
  }

  public static void main(String[] args) throws Exception {
    int port = Integer.parseInt(args[0]);
    SipFactory factory = SipFactory.getInstance();
    factory.setPathName("gov.nist");
    Properties properties = new Properties();
    properties.setProperty("javax.sip.STACK_NAME", "answering");
    properties.setProperty("gov.nist.javax.sip.TRACE_LEVEL", "0");
    SipStack stack = factory.createSipStack(properties);
    Answering listener = new Answering(factory.createMessageFactory());
    for (String transport : new String[] {"udp", "tcp"}) {
      SipProvider provider =
          stack.createSipProvider(stack.createListeningPoint("127.0.0.1", port, transport));
      provider.addSipListener(listener);
    }
    stack.start();
  }

  @Override
  public void processRequest(RequestEvent event) {
    try {
      ((SipProvider) event.getSource()).sendResponse(messages.createResponse(200, event.getRequest()));
    } catch (Exception error) {
      error.printStackTrace();
    }
  }

  @Override
  public void processResponse(ResponseEvent event) {}

  @Override
  public void processTimeout(TimeoutEvent event) {}

  @Override
  public void processIOException(IOExceptionEvent event) {}

  @Override
  public void processTransactionTerminated(TransactionTerminatedEvent event) {}

  @Override
  public void processDialogTerminated(DialogTerminatedEvent event) {}
}
