import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App'
import { FailureBoundary } from './components/Failure'
import './styles.css'

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <FailureBoundary>
      <App />
    </FailureBoundary>
  </StrictMode>,
)
